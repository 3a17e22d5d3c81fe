import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { loadPdp, starting } from "../service.ts";
import { type ExitCode, exitCodes } from "../stop.ts";
import { addStoreSettings, type SettingFlags, settings } from "./settings.ts";

interface StatusFlags extends SettingFlags {
  readonly json?: boolean;
}

async function status(cli: Cli, flags: StatusFlags): Promise<ExitCode> {
  const config = await settings(cli, flags, "migrate");
  const { ledgerStatus } = await loadPdp();
  const { size, writers, lagSeconds, gap } = await starting(() => ledgerStatus(config));
  if (flags.json) {
    const missing = gap && { epoch: `${gap.writer}`, n: `${gap.missing}` };
    printJson(cli.io, { size: `${size}`, writers, lagSeconds, ...(missing && { missing }) });
  } else {
    cli.io.out(`${size.toLocaleString("en")} records of the cell have their places; ${writers} writers may have more`);
    if (lagSeconds > 0) cli.io.out(`the oldest record without one has been waiting for ${lagSeconds.toFixed(1)} s`);
  }
  if (!gap) return exitCodes.ok;
  const fix = "docs/operating.md tells what to do";
  cli.io.err(`stopped: record ${gap.missing} of epoch ${gap.writer} is missing, so no record gets a place: ${fix}`);
  return exitCodes.no;
}

/** `remit ledger`: what an operator of the cell asks of its ledger. */
export function addLedger(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const ledger = program.command("ledger").description("the one order of all records of a cell");
  const command = addStoreSettings(ledger.command("status"))
    .description("how many records have a place, and what the others wait for (REMIT_DATABASE_URL)")
    .option("--json", "as JSON")
    .addHelpText("after", "\nExit code 1: a record is missing, and no other gets a place until it is brought back.")
    .action(async (flags: StatusFlags) => ended(await status(cli, flags)));
  examples(command, [["what waits", "REMIT_DATABASE_URL=postgres://remit@db/remit remit ledger status"]]);
}
