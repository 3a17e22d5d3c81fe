import { assert } from "../foundation/assert.ts";
import { Fault } from "../foundation/fault.ts";
import type { Log } from "../foundation/log.ts";
import type { LedgerStore, LedgerWriter } from "./ledger-store.ts";
import { createLines } from "./lines.ts";
import { createQueue, type QueueLimits, recordBytes } from "./queue.ts";
import type { DecisionRange, ListedRecord, ListedRecords, NewRecord, RecordOutcome, StoredRecord } from "./record.ts";
import type { CommitSeen, Stopped } from "./shared.ts";
import { systemTiming, type Timing } from "./timing.ts";
import { LedgerUnavailable } from "./unavailable.ts";

export interface LedgerOptions {
  readonly store: LedgerStore;
  /** How many writers commit side by side, each one statement at a time. */
  readonly writers: number;
  readonly log: Log;
  readonly limits: QueueLimits & {
    /** The longest that a record or a look-up waits for the store. */
    readonly recordWaitMsMax: number;
  };
  readonly timing?: Timing;
  /** Told of every statement, for metrics. */
  readonly observe?: (seen: CommitSeen) => void;
  /** Called when one record's statement has been sent and no other record is here: until its answer comes there is time. */
  readonly onWait?: (() => void) | undefined;
  /** Told once when nothing will ever be recorded again although nobody closed the ledger. */
  readonly onStop?: (why: Exclude<Stopped, "closed">) => void;
}

interface LedgerState {
  /** Set when nothing will ever be recorded again; the process must be replaced. */
  readonly stopped: Stopped | null;
  /** Whether a writer lives: what readiness asks. */
  readonly serving: boolean;
  readonly writersAlive: number;
  /** The numbers of the living writers. */
  readonly epochs: readonly bigint[];
  readonly queuedRecords: number;
  readonly queuedBytes: number;
  readonly inFlightRecords: number;
  /** How long ago the last statement was acknowledged; null before the first. */
  readonly lastCommitAgoMs: number | null;
}

export interface Ledger {
  /** Registers this replica and opens its writers. Rejects when the store is away: later it comes back by itself. */
  start(): Promise<void>;
  /**
   * Records, and answers once that is durable. Rejects with `LedgerUnavailable` when that cannot be done or confirmed
   * within `withinMs` (at most the limit), with `exhausted` when too much waits, with `internal` when the store can
   * not hold this record.
   */
  record(record: NewRecord, options?: { readonly withinMs?: number }): Promise<RecordOutcome>;
  /** What was recorded under keys of a session, in the keys' order; null where nothing was. */
  findByKeys(
    tenant: string,
    session: string,
    sessionDay: string,
    keys: readonly Uint8Array[],
  ): Promise<(StoredRecord | null)[]>;
  /** A tenant's record by its id, or null. */
  findById(tenant: string, id: string): Promise<StoredRecord | null>;
  /** The records about a decision, in order. */
  findBySubject(tenant: string, subject: string): Promise<StoredRecord[]>;
  /** A tenant's decisions between two ids, the newest first, as many as the range allows. */
  listDecisions(tenant: string, range: DecisionRange): Promise<ListedRecords>;
  /** The same records with what stands beside them, in their order; those that have gone meanwhile are left out. */
  withAsides(tenant: string, records: readonly ListedRecord[]): Promise<StoredRecord[]>;
  state(): LedgerState;
  /** How full the queue is for what is not a report: from 1 on nothing but reports is taken. */
  fill(): number;
  /** To be called when this replica was shut out by another: nothing of it can be recorded any more. */
  shutOut(): void;
  /** Takes nothing more, settles what waits, then declares this replica dead. */
  close(): Promise<void>;
}

/** Bounds a look-up: the store may be away in a way that answers nothing at all. */
async function readWithin<Value>(timing: Timing, ms: number, read: Promise<Value>): Promise<Value> {
  const unread = (cause: unknown) =>
    new Fault("unavailable", "ledger_unavailable", "the ledger cannot be read", { fix: "ask again later" }, cause);
  return new Promise((resolve, reject) => {
    const cancel = timing.after(ms, () => reject(unread(new Error(`no answer within ${ms} ms`))));
    read.then(resolve, (error) => reject(error instanceof Fault ? error : unread(error))).finally(cancel);
  });
}

/** Opens all writers or none. */
async function openAll(store: LedgerStore, writers: number): Promise<LedgerWriter[]> {
  const tried = await Promise.allSettled(Array.from({ length: writers }, () => store.openWriter()));
  const open = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = tried.find((one) => one.status === "rejected");
  if (!failed) return open;
  await Promise.allSettled(open.map((writer) => writer.close()));
  throw failed.reason;
}

/** The ledger of one process: what it answers is recorded, in one order a writer, exactly once. */
export function createLedger(options: LedgerOptions): Ledger {
  const { store, limits, log, timing = systemTiming } = options;
  const queue = createQueue(limits);
  const lines = createLines({ ...options, queue, timing });
  let phase: "new" | "open" | "closing" = "new";

  const read = <Value>(find: () => Promise<Value>) => readWithin(timing, limits.recordWaitMsMax, find());

  return {
    start: async () => {
      assert(phase === "new", "a ledger is started once");
      await store.register();
      lines.start(await openAll(store, options.writers));
      phase = "open";
    },
    record: (record, { withinMs = limits.recordWaitMsMax } = {}) =>
      new Promise((resolve, reject) => {
        const closed = lines.stopped() ?? (phase === "open" ? null : phase);
        if (closed) throw new LedgerUnavailable("no", new Error(`the ledger is ${closed}`));
        const giveUpAtMs = timing.now() + Math.min(withinMs, limits.recordWaitMsMax);
        const bytes = recordBytes(record);
        queue.push({ record, bytes, giveUpAtMs, resubmitted: false, answered: false, resolve, reject });
        lines.desk.enter();
        lines.wake();
      }),
    findByKeys: (tenant, session, sessionDay, keys) => read(() => store.findByKeys(tenant, session, sessionDay, keys)),
    findById: (tenant, id) => read(() => store.findById(tenant, id)),
    findBySubject: (tenant, subject) => read(() => store.findBySubject(tenant, subject)),
    listDecisions: (tenant, range) => read(() => store.listDecisions(tenant, range)),
    withAsides: (tenant, records) => read(() => store.withAsides(tenant, records)),
    state: () => {
      const alive = lines.alive();
      const lastCommitMs = lines.lastCommitMs();
      return {
        stopped: lines.stopped(),
        serving: phase === "open" && lines.stopped() === null && alive.length > 0,
        writersAlive: alive.length,
        epochs: alive.flatMap((line) => line.epoch() ?? []),
        queuedRecords: queue.records,
        queuedBytes: queue.bytes,
        inFlightRecords: lines.inFlight().length,
        lastCommitAgoMs: lastCommitMs === null ? null : timing.now() - lastCommitMs,
      };
    },
    fill: () => queue.fill,
    shutOut: () => lines.stop("fenced", new Error("this replica was shut out by another")),
    close: async () => {
      phase = "closing";
      await lines.desk.empty();
      lines.stop("closed");
      // A line that still asks what became of a batch ends when its connections are cut.
      await store.close().catch((error) => log.warn({ error }, "this replica could not be declared dead"));
      await lines.ended();
    },
  };
}
