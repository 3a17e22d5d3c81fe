import { setTimeout } from "node:timers/promises";
import pg, { type ClientBase } from "pg";
import { CommitFailure, LedgerUnavailable, type NewRecord } from "../ledger/index.ts";
import {
  type Changed,
  type ChangeScope,
  type Made,
  type Revision,
  RevisionMoved,
  transact,
  type Work,
} from "./change-transaction.ts";
import { reconnectDelayMs } from "./database.ts";
import type { Lane, LanesOptions } from "./lane.ts";
import { createSerial } from "./serial.ts";
import { createSlowWriters, type SlowWriters } from "./slow-writer.ts";

/** Changes of who may do what: each in one commit with the record that tells of it. */
export interface RecordedChanges {
  /**
   * Makes a change in one transaction with its record. `change` does its statements on the given client, under the
   * revision that its rows carry (the counter it moves, else `policy`); it may run more than once, each time in a
   * transaction of its own, so it keeps nothing in memory. `record` builds the record under the revision after it.
   * What `change` throws comes out as it is, and nothing is changed. Throws `revision_conflict`, `overloaded`, or
   * `LedgerUnavailable`, which says whether the change may have been made.
   */
  run<Value>(
    scope: ChangeScope,
    record: (revision: Revision) => NewRecord,
    change: (client: ClientBase, revision: bigint) => Promise<Value>,
  ): Promise<Changed<Value>>;
  close(): Promise<void>;
}

export interface RecordedChangesOptions extends LanesOptions {
  /** The replica of this process. It is registered before the first change. */
  readonly replica: string;
}

const QUEUE_CHANGES_MAX = 512;
const WAIT_MS_MAX = 2_000;

// Not the change's own fault: cancelled or timed out, locked too long, dead-locked, the server going away.
const STORE_AT_FAULT = /^(?:08|25P0[34]|40|53|55P03|57)/;

/** What an error before the commit means to the caller. Nothing was changed. */
function notChanged(error: unknown, lane: Lane): unknown {
  if (error instanceof CommitFailure || lane.gone()) return new LedgerUnavailable("no", error);
  const storeAtFault = error instanceof pg.DatabaseError && STORE_AT_FAULT.test(error.code ?? "");
  return storeAtFault ? new LedgerUnavailable("no", error) : error;
}

/** Finds out what became of a commit whose acknowledgement was lost. */
async function resolveLost<Value>(writers: SlowWriters, made: Made<Value>, cause: unknown): Promise<Changed<Value>> {
  const endMs = performance.now() + WAIT_MS_MAX;
  for (let tried = 0; performance.now() < endMs; tried++) {
    try {
      if (await writers.wasRecorded(made.record)) return made.changed;
    } catch {
      await setTimeout(reconnectDelayMs(tried, Math.random()));
      continue;
    }
    throw new LedgerUnavailable("no", cause);
  }
  throw new LedgerUnavailable("unknown", cause);
}

/** Makes a change once. Throws `RevisionMoved` when another one came first. */
async function attempt<Value>(writers: SlowWriters, work: Work<Value>): Promise<Changed<Value>> {
  const writer = await writers.open().catch((error) => {
    throw new LedgerUnavailable("no", error);
  });
  let made: Made<Value> | null = null;
  const onCommit = (before: Made<Value>) => {
    made = before;
  };
  try {
    const changed = await writer.lane.within((client) => transact(client, writer, work, onCommit));
    writer.base = changed.ref.n;
    return changed;
  } catch (error) {
    // An error that Postgres answers to a statement, the commit included, says that nothing was committed.
    const answered = error instanceof pg.DatabaseError && error.severity === "ERROR" && !writer.lane.gone();
    if (error instanceof CommitFailure || writer.lane.gone()) writers.giveUp(writer, error);
    if (made === null || answered) throw notChanged(error, writer.lane);
    writers.giveUp(writer, error);
    return resolveLost(writers, made, error);
  }
}

/** One writer of its own, on which one change at a time is made. */
export function createRecordedChanges(options: RecordedChangesOptions): RecordedChanges {
  const writers = createSlowWriters(options);
  const serial = createSerial(QUEUE_CHANGES_MAX, WAIT_MS_MAX);

  return {
    run: (scope, record, change) =>
      serial.run({ tenant: scope.tenant, ending: scope.ending ?? false }, async () => {
        const work = { scope, record, change };
        try {
          return await attempt(writers, { ...work, alone: false });
        } catch (error) {
          if (!(error instanceof RevisionMoved)) throw error;
          return attempt(writers, { ...work, alone: true });
        }
      }),
    close: async () => {
      await serial.idle();
      await writers.close();
    },
  };
}
