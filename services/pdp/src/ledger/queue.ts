import { Fault } from "../foundation/fault.ts";
import type { limits } from "../foundation/limits.ts";
import { type BatchLimits, startBatch } from "./batch.ts";
import type { NewRecord, RecordOutcome } from "./record.ts";
import { createTurns } from "./turns.ts";

export type QueueLimits = BatchLimits &
  Pick<{ [Name in keyof typeof limits]: number }, "queueRecordsMax" | "queueBytesMax" | "queueReservePercent">;

/** A record that somebody waits for. */
export interface Waiting {
  readonly record: NewRecord;
  readonly bytes: number;
  /** When its caller is told that the ledger is unavailable. */
  readonly giveUpAtMs: number;
  /** Whether it was submitted before, its acknowledgement lost, and it was found not to be recorded. */
  resubmitted: boolean;
  /** Whether its caller has an answer, a record or an error. */
  answered: boolean;
  readonly resolve: (outcome: RecordOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What waits for the next batch: tenants take turns, and the records of one keep their order. Bounded in records and in
 * bytes, a part of both for reports alone: what has happened is not turned away because too much is asked. And a tenant
 * may hold no more than twice what is still free, so that however many flood the queue, there is room for another.
 */
export interface Queue {
  readonly records: number;
  readonly bytes: number;
  /** How full it is for what is not a report, 0 to 1 and more, by records or bytes, whichever is fuller. */
  readonly fill: number;
  /** Throws `exhausted` when the queue is full, or the tenant's part of it. */
  push(waiting: Waiting): void;
  /** Puts records that had been taken before everything else again. They had their place: no limit applies. */
  putBack(waiting: readonly Waiting[]): void;
  /** The next batch, null when nothing waits. No id stands twice in it: the store tells rows apart by their ids. */
  take(): Waiting[] | null;
  /** Removes the records whose time is over. */
  expire(nowMs: number): Waiting[];
  /** Removes everything. */
  drain(): Waiting[];
}

// Ids, key, digests and the frame around them.
const ROW_BYTES = 256;

/**
 * How much of the queue a tenant may hold, in times of what is free: one that floods it alone gets two thirds, and of n
 * that do each 2 parts of 1 + 2n, which leaves one part free (Choudhury and Hahne's dynamic thresholds, 1998).
 */
const TENANT_TIMES_FREE = 2;

/** What a record weighs in a queue or a batch. */
export function recordBytes(record: NewRecord): number {
  return record.body.length + (record.aside?.length ?? 0) + ROW_BYTES;
}

function overloaded(limit: string): Fault {
  return new Fault("exhausted", "overloaded", "too many records wait for the ledger", {
    limit,
    fix: "ask again later",
  });
}

/** How much waits. */
interface Held {
  records: number;
  bytes: number;
}

const NOTHING: Readonly<Held> = { records: 0, bytes: 0 };

const count = (held: Held, waiting: Waiting, sign: 1 | -1) => {
  held.records += sign;
  held.bytes += sign * waiting.bytes;
};

const isReport = ({ record }: Waiting) => record.kind === "report";

/** Counts what is in the queue: all of it, and of each tenant its reports apart from the rest. */
function createTally() {
  const all: Held = { records: 0, bytes: 0 };
  // A tenant with nothing here has no row.
  const asked = new Map<string, Held>();
  const reported = new Map<string, Held>();
  const rowsOf = (waiting: Waiting) => (isReport(waiting) ? reported : asked);
  return {
    all: all as Readonly<Held>,
    own: (waiting: Waiting): Readonly<Held> => rowsOf(waiting).get(waiting.record.tenant) ?? NOTHING,
    enter: (waiting: Waiting) => {
      const rows = rowsOf(waiting);
      const own = rows.get(waiting.record.tenant) ?? { records: 0, bytes: 0 };
      if (own.records === 0) rows.set(waiting.record.tenant, own);
      count(own, waiting, 1);
      count(all, waiting, 1);
    },
    leave: (waiting: Waiting) => {
      const rows = rowsOf(waiting);
      const own = rows.get(waiting.record.tenant);
      count(all, waiting, -1);
      if (own?.records === 1) rows.delete(waiting.record.tenant);
      else if (own) count(own, waiting, -1);
    },
  };
}

export function createQueue(limits: QueueLimits): Queue {
  const turns = createTurns();
  const { all, own, enter, leave } = createTally();
  let again: Waiting[] = [];

  const whole = { records: limits.queueRecordsMax, bytes: limits.queueBytesMax };
  const open = (max: number) => Math.ceil((max * (100 - limits.queueReservePercent)) / 100);
  const unreserved = { records: open(whole.records), bytes: open(whole.bytes) };

  const refuseTooMany = (waiting: Waiting) => {
    const max = isReport(waiting) ? whole : unreserved;
    if (all.records >= max.records) throw overloaded(`${max.records} records`);
    if (all.bytes + waiting.bytes > max.bytes) throw overloaded(`${max.bytes} bytes`);
    const { records, bytes } = own(waiting);
    if (records >= TENANT_TIMES_FREE * (max.records - all.records)) throw overloaded(`${records} of one tenant now`);
    if (bytes >= TENANT_TIMES_FREE * (max.bytes - all.bytes)) throw overloaded(`${bytes} bytes of one tenant now`);
  };

  const remove = (over: (waiting: Waiting) => boolean): Waiting[] => {
    const gone = [...again.filter(over), ...turns.remove(over)];
    if (gone.length === 0) return gone;
    again = again.filter((waiting) => !over(waiting));
    gone.forEach(leave);
    return gone;
  };

  return {
    get records() {
      return all.records;
    },
    get bytes() {
      return all.bytes;
    },
    get fill() {
      return Math.max(all.records / unreserved.records, all.bytes / unreserved.bytes);
    },
    push: (waiting) => {
      refuseTooMany(waiting);
      enter(waiting);
      turns.push(waiting);
    },
    putBack: (waiting) => {
      again = [...waiting, ...again];
      waiting.forEach(enter);
    },
    take: () => {
      if (all.records === 0) return null;
      const batch = startBatch(limits);
      const full = again.findIndex((waiting) => batch.offer(waiting) !== "taken");
      const rest = full === -1 ? [] : again.slice(full);
      again = rest;
      if (rest.length === 0) turns.fill(batch);
      batch.taken.forEach(leave);
      return batch.taken;
    },
    expire: (nowMs) => remove((waiting) => waiting.giveUpAtMs <= nowMs),
    drain: () => remove(() => true),
  };
}
