import type { Config } from "../config/index.ts";
import { systemRandom, uuidMaker } from "../foundation/ids.ts";
import type { Log } from "../foundation/log.ts";
import { startEmbedded } from "../stores/embedded.ts";
import { type Recovery, recover } from "../stores/recover.ts";

/**
 * Recovers the store of a configuration, or tells what that would do: see `recover`. The embedded Postgres is started for
 * as long as it takes.
 */
export async function recoverStore(
  config: Pick<Config, "migrationUrl" | "dataDir">,
  { apply, log }: { readonly apply: boolean; readonly log: Log },
): Promise<Recovery> {
  const newId = uuidMaker(systemRandom());
  if (config.migrationUrl) return recover({ url: config.migrationUrl.reveal(), apply, newId });
  const say = (line: string) => log.info({ store: "embedded" }, line);
  const postgres = await startEmbedded({ durable: true, dataDir: config.dataDir, log: say });
  try {
    return await recover({ url: postgres.ownerUrl, apply, newId });
  } finally {
    await postgres.stop();
  }
}
