import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { examples } from "../examples.ts";
import { loadPdp, starting } from "../service.ts";
import { usage } from "../stop.ts";
import { addStoreSettings, type SettingFlags, settings } from "./settings.ts";

type Flags = SettingFlags & { readonly engine?: string };

async function migrate(cli: Cli, { engine, ...flags }: Flags): Promise<void> {
  const { migrationUrl } = await settings(cli, flags, "migrate");
  if (migrationUrl === undefined) {
    const fix =
      "set REMIT_MIGRATION_URL to the role that owns the tables; the embedded Postgres is migrated by `remit serve`";
    throw usage("there is no database to migrate", fix);
  }
  const pdp = await loadPdp();
  const log = (line: string) => cli.io.err(line);
  const { applied, version } = await starting(() => pdp.migrate({ url: migrationUrl.reveal(), log }));
  for (const name of applied) cli.io.out(`applied ${name}`);
  cli.io.out(applied.length === 0 ? `nothing to do: the schema is at ${version}` : `the schema is at ${version}`);
  if (engine === undefined) return;
  const before = await starting(() => pdp.activateEngine({ migrationUrl }, engine));
  cli.io.out(
    before === engine
      ? `engine ${engine} decides already`
      : `engine ${engine} decides now, instead of ${before ?? "any"}`,
  );
}

/** `remit migrate`: bring the tables to this version, as the role that owns them. */
export function addMigrate(program: Command, cli: Cli): void {
  const command = addStoreSettings(program.command("migrate"))
    .description("bring the tables to this version, as the role that owns them (REMIT_MIGRATION_URL)")
    .option(
      "--engine <version>",
      "then let this version of the engine decide; replicas with another refuse from then on",
    )
    .action((flags: Flags) => migrate(cli, flags));
  examples(command, [
    [
      "a Postgres of yours, before a new version starts",
      "REMIT_MIGRATION_URL=postgres://remit_owner@db/remit remit migrate",
    ],
    [
      "when the replicas of a build with a new engine are up",
      "REMIT_MIGRATION_URL=postgres://remit_owner@db/remit remit migrate --engine 0.2.0",
    ],
  ]);
}
