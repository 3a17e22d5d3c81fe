import { Fault } from "../foundation/fault.ts";
import type { limits } from "../foundation/limits.ts";
import type { NewRecord, RecordOutcome } from "./record.ts";

export type QueueLimits = Pick<
  { [Name in keyof typeof limits]: number },
  "queueRecordsMax" | "queueBytesMax" | "batchRecordsMax" | "batchBytesMax"
>;

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

/** What waits for the next batch: first come, first taken; bounded in records and in bytes. */
export interface Queue {
  readonly records: number;
  readonly bytes: number;
  /** Throws `exhausted` when the queue is full. */
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

/** What a record weighs in a queue or a batch. */
export function recordBytes(record: NewRecord): number {
  return record.body.length + (record.aside?.length ?? 0) + ROW_BYTES;
}

const sum = (waiting: readonly Waiting[]) => waiting.reduce((bytes, one) => bytes + one.bytes, 0);

function overloaded(limit: string): Fault {
  return new Fault("exhausted", "overloaded", "too many records wait for the ledger", {
    limit,
    fix: "ask again later",
  });
}

export function createQueue(limits: QueueLimits): Queue {
  let line: Waiting[] = [];
  let bytes = 0;

  const batchLength = (): number => {
    const ids = new Set<string>();
    let batchBytes = 0;
    let length = 0;
    for (const { record, bytes: own } of line) {
      batchBytes += own;
      if (length === limits.batchRecordsMax || ids.has(record.id)) break;
      // A record heavier than a whole batch travels alone.
      if (length > 0 && batchBytes > limits.batchBytesMax) break;
      ids.add(record.id);
      length++;
    }
    return length;
  };

  return {
    get records() {
      return line.length;
    },
    get bytes() {
      return bytes;
    },
    push: (waiting) => {
      if (line.length >= limits.queueRecordsMax) throw overloaded(`${limits.queueRecordsMax} records`);
      if (bytes + waiting.bytes > limits.queueBytesMax) throw overloaded(`${limits.queueBytesMax} bytes`);
      line.push(waiting);
      bytes += waiting.bytes;
    },
    putBack: (waiting) => {
      line = [...waiting, ...line];
      bytes += sum(waiting);
    },
    take: () => {
      if (line.length === 0) return null;
      const batch = line.splice(0, batchLength());
      bytes -= sum(batch);
      return batch;
    },
    expire: (nowMs) => {
      const over = line.filter((waiting) => waiting.giveUpAtMs <= nowMs);
      if (over.length === 0) return over;
      line = line.filter((waiting) => waiting.giveUpAtMs > nowMs);
      bytes -= sum(over);
      return over;
    },
    drain: () => {
      const all = line;
      line = [];
      bytes = 0;
      return all;
    },
  };
}
