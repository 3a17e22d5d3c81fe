import type { Client, Pool } from "pg";
import type { Config } from "../config/index.ts";
import type { Pause } from "../foundation/in-slices.ts";
import type { Log } from "../foundation/log.ts";
import { checkCell, claimCell } from "../stores/cell.ts";
import { openDirect, openPool } from "../stores/database.ts";
import { checkDurability } from "../stores/durability.ts";
import { type EmbeddedPostgres, startEmbedded } from "../stores/embedded.ts";
import { checkPostgres, checkSchema, migrate } from "../stores/migrate.ts";

/** The Postgres that this process works with. */
export interface Store {
  readonly pool: Pool;
  /** A connection of its own, verified to reach the Postgres that the cell was started on. */
  readonly direct: (name: string) => Promise<Client>;
  readonly url: string;
  /** Resolves with the reason when an embedded Postgres ended by itself. */
  readonly lost: Promise<string>;
  close(): Promise<void>;
}

async function embedded(config: Config, log: Log, throwAway: boolean): Promise<EmbeddedPostgres> {
  const say = (line: string) => log.info({ store: "embedded" }, line);
  const postgres = await startEmbedded({
    // What is thrown away syncs its disk all the same: what it takes is what a kept one would take.
    durable: true,
    ...(!throwAway && { dataDir: config.dataDir }),
    log: say,
  });
  try {
    await migrate({ url: postgres.ownerUrl, log: say });
    return postgres;
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

/** Checked once, before anything is opened on it. */
async function checkStore(config: Config, url: string, log: Log): Promise<void> {
  const client = await openDirect({ url, name: "remit-start", log });
  try {
    await checkPostgres(client);
    await checkSchema(client);
    if (config.mode === "production") await checkDurability(client);
    await claimCell(client);
    await checkCell(client);
    // The days that come: a process that runs for weeks asks again, see `keepPartitions`.
    await client.query("select remit_ensure_partitions(7)");
  } finally {
    await client.end();
  }
}

/** For statements that take a millisecond: a poll that takes longer is given up and asked on another connection. */
const POLL_MS_MAX = 2_000;

interface StoreOptions {
  readonly config: Config;
  readonly log: Log;
  readonly throwAway: boolean;
  /** Between the parts of a long answer of Postgres; undefined: a turn of the event loop. */
  readonly collectingPause: Pause | undefined;
  /** While very many are told that the store was too busy; undefined: nothing. */
  readonly crowdPause: Pause | undefined;
}

/** Opens the configured Postgres, or brings one of its own. Rejects with a Fault that says what to do. */
export async function openStore({
  config,
  log,
  throwAway,
  collectingPause: pause,
  crowdPause,
}: StoreOptions): Promise<Store> {
  const own = config.databaseUrl && !throwAway ? undefined : await embedded(config, log, throwAway);
  const url = own?.runtimeUrl ?? config.databaseUrl?.reveal() ?? "";
  try {
    await checkStore(config, url, log);
  } catch (error) {
    await own?.stop();
    throw error;
  }
  const pauses = { pause, crowdPause };
  const pool = openPool({ url, name: "remit", log, connectionsMax: config.poolSize, ...pauses, verify: checkCell });
  const ended = own?.ended.then(({ expected, lastWords }) =>
    expected ? new Promise<never>(() => {}) : `the embedded Postgres ended by itself: ${lastWords}`,
  );
  return {
    pool,
    url,
    direct: (name) => openDirect({ url, name, log, statementTimeoutMs: POLL_MS_MAX, verify: checkCell }),
    lost: ended ?? new Promise<never>(() => {}),
    async close() {
      await pool.end();
      await own?.stop();
    },
  };
}

const PARTITIONS_EVERY_MS = 3_600_000;

/** Makes the days ahead, every hour. Answers how to stop. */
export function keepPartitions(pool: Pool, log: Log): () => void {
  const timer = setInterval(() => {
    pool.query("select remit_ensure_partitions(7)").catch((error: unknown) => {
      log.warn({ error }, "the partitions of the days ahead could not be made; they will be tried again in an hour");
    });
  }, PARTITIONS_EVERY_MS).unref();
  return () => clearInterval(timer);
}
