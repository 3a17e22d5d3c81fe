import type { Pool } from "pg";
import { createFewAtOnce } from "../foundation/few-at-once.ts";
import type { LedgerStore } from "../ledger/index.ts";
import { commitFailure } from "./commit-failure.ts";
import { createLanes, type Lane, type LanesOptions } from "./lane.ts";
import { createLedgerWriter } from "./ledger-writer.ts";
import { listDecisions, withAsides } from "./listed-record.ts";
import { findById, findByKeys, findBySubject, readTaken, takenQuery } from "./stored-record.ts";
import { endReplica, fence, insertReplica, insertWriter } from "./writer-row.ts";

export interface LedgerStoreOptions extends LanesOptions {
  /** For reads. */
  readonly pool: Pool;
  /** A UUID of this process's own. */
  readonly replica: string;
  /** Where this process runs, for whoever looks at the replicas. */
  readonly host: string;
}

/** How long a batch waits for a row that something else holds, such as an account that an administrator is changing. */
const LOCK_MS = 500;

/**
 * Many who list at one moment would have the rows of all come in one turn, and leave no connection of the pool to others.
 * While one answer is read Postgres looks for the next.
 */
const LISTS_READ_AT_ONCE = 2;

/** A writer row on an open lane, its statements prepared and planned before the first record comes. */
async function openWriterOn(lane: Lane, replica: string, onBroken: () => void) {
  try {
    const epoch = await lane.within((client) => insertWriter(client, replica));
    // Its statements are planned once, maybe while a table was small, and all that they look for has an index.
    await lane.within((client) => client.query(`set lock_timeout = ${LOCK_MS}; set enable_seqscan = off`));
    const writer = createLedgerWriter(lane, epoch, onBroken);
    await writer.commit([]);
    return writer;
  } catch (error) {
    lane.destroy(error as Error);
    throw error;
  }
}

/** The ledger's store over Postgres. */
export function createLedgerStore(options: LedgerStoreOptions): LedgerStore {
  const { pool, replica, host, log } = options;
  const lanes = createLanes(options);
  const listing = createFewAtOnce(LISTS_READ_AT_ONCE);
  const declareDead = () => lanes.once("remit-replica", (client) => endReplica(client, replica));
  // Two processes under one identity: neither may go on, and the other hears of it at its next commit.
  const onBroken = () =>
    void declareDead().catch((error) => log.error({ error }, "this replica could not be declared dead"));
  return {
    register: () => lanes.once("remit-replica", (client) => insertReplica(client, replica, host)),
    openWriter: async () => openWriterOn(await lanes.open("remit-writer"), replica, onBroken),
    fenceWriter: (epoch) => lanes.once("remit-fence", (client) => fence(client, epoch)),
    lookUp: (batch) =>
      lanes.once("remit-look-up", async (client) => {
        try {
          return readTaken(batch, (await client.query(takenQuery(batch))).rows);
        } catch (error) {
          throw commitFailure(error);
        }
      }),
    findByKeys: (tenant, session, day, keys) => findByKeys(pool, tenant, session, day, keys),
    findById: (tenant, id) => findById(pool, tenant, id),
    findBySubject: (tenant, subject) => findBySubject(pool, tenant, subject),
    listDecisions: (tenant, range) => listing(() => listDecisions(pool, tenant, range)),
    withAsides: (tenant, records) => listing(() => withAsides(pool, tenant, records)),
    close: async () => {
      lanes.destroyAll(new Error("the ledger is closed"));
      await declareDead();
    },
  };
}
