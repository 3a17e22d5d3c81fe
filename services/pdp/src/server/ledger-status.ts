import type { Config } from "../config/index.ts";
import { Fault } from "../foundation/fault.ts";
import { silentLog } from "../foundation/log.ts";
import { openDirect } from "../stores/database.ts";
import { checkSchema } from "../stores/migrate.ts";
import { readSequencerStatus, type SequencerStatus } from "../stores/sequencer.ts";

/**
 * How far the records of a cell have their places, read from its database as whichever role is configured. Throws a Fault
 * where there is no database to ask.
 */
export async function ledgerStatus(
  config: Pick<Config, "databaseUrl" | "migrationUrl" | "metricsAddress">,
): Promise<SequencerStatus> {
  const url = config.databaseUrl ?? config.migrationUrl;
  if (!url) {
    const fix = `of the embedded Postgres http://${config.metricsAddress}/metrics tells it while it serves: remit_sequencer_*`;
    throw new Fault("invalid", "request_invalid", "there is no database to ask: REMIT_DATABASE_URL is not set", {
      fix,
    });
  }
  const client = await openDirect({ url: url.reveal(), name: "remit-ledger-status", log: silentLog });
  try {
    await checkSchema(client);
    return await readSequencerStatus(client);
  } finally {
    await client.end();
  }
}
