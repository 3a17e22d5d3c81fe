import type { Command } from "commander";
import { type Cli, paintFor } from "../cli.ts";
import { examples } from "../examples.ts";
import { loadPdp, starting } from "../service.ts";
import { exitCodes, Stop, usage } from "../stop.ts";
import { addStoreSettings, type SettingFlags, settings } from "./settings.ts";

interface RecoverFlags extends SettingFlags {
  yes?: boolean;
  json?: boolean;
}

type Recovery = Awaited<ReturnType<Awaited<ReturnType<typeof loadPdp>>["recoverStore"]>>;

const pair = ({ systemIdentifier, timeline }: Recovery["now"]) => `system ${systemIdentifier}, timeline ${timeline}`;

function print({ io }: Cli, { stored, now, state, findings }: Recovery): void {
  const { bold, dim } = paintFor(io);
  io.out(`Recorded before on ${pair(stored)}; this is ${pair(now)}.`);
  for (const { found, action } of findings) {
    io.out(`  ${found}`);
    io.out(dim(`    ${state === "recovered" ? "done" : "would do"}: ${action}`));
  }
  if (state === "recovered") io.out(`\n${bold("recovered")}: start the replicas.`);
  else io.out("\nNothing was changed. Stop every replica, then do it with: remit recover --yes");
}

async function recover(cli: Cli, flags: RecoverFlags): Promise<void> {
  const config = await settings(cli, flags, "migrate");
  if (config.databaseUrl && !config.migrationUrl) {
    throw usage("the role of the service may not do this", "set REMIT_MIGRATION_URL to the role that owns the tables");
  }
  const { createLog, recoverStore } = await loadPdp();
  const log = createLog({
    ...{ level: "warn", format: "json", colour: false },
    write: (line) => process.stderr.write(line),
  });
  const recovery = await starting(() => recoverStore(config, { apply: flags.yes === true, log }));
  if (recovery.state === "fits") {
    const message = `there is nothing to recover: this is the Postgres that recorded before (${pair(recovery.now)})`;
    throw new Stop(exitCodes.no, message, "start the service");
  }
  if (flags.json) {
    const told = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);
    cli.io.out(JSON.stringify(recovery, told));
  } else print(cli, recovery);
}

/** `remit recover`: go on with a restored backup or a standby that took over. */
export function addRecover(program: Command, cli: Cli): void {
  const command = addStoreSettings(program.command("recover"))
    .description("go on with a restored backup or a promoted standby, as the owner (REMIT_MIGRATION_URL)")
    .option("--yes", "do it; without this it is only told what would be done")
    .option("--json", "what was found as one line of JSON")
    .addHelpText(
      "after",
      "\nIt is refused, with 1, where this is the Postgres that recorded before. docs/operating.md tells what was lost then.",
    )
    .action((flags: RecoverFlags) => recover(cli, flags));
  examples(command, [
    ["what would be done", "REMIT_MIGRATION_URL=postgres://remit_owner@db/remit remit recover"],
    ["with every replica stopped", "REMIT_MIGRATION_URL=postgres://remit_owner@db/remit remit recover --yes"],
  ]);
}
