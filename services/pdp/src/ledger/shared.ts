import { createCrowdRoom } from "../foundation/crowd-room.ts";
import type { Fault } from "../foundation/fault.ts";
import type { Log } from "../foundation/log.ts";
import { CommitFailure, type LedgerStore } from "./ledger-store.ts";
import type { Queue, Waiting } from "./queue.ts";
import type { RecordOutcome } from "./record.ts";
import { backoffMs, type Timing } from "./timing.ts";
import { LedgerUnavailable, type Recorded } from "./unavailable.ts";

/** Why nothing is recorded any more, for ever. */
export type Stopped = "fenced" | "broken" | "closed";

/** What one statement was, for metrics. */
export interface CommitSeen {
  readonly records: number;
  readonly ms: number;
  readonly result: "committed" | CommitFailure["kind"];
}

/** What all lines of a ledger share. */
export interface Shared {
  readonly store: LedgerStore;
  readonly queue: Queue;
  readonly timing: Timing;
  readonly log: Log;
  readonly observe: (seen: CommitSeen) => void;
  /** To be called when a statement has been sent, and its answer is waited for. */
  sent(): void;
  stopped(): Stopped | null;
  stop(why: Stopped, cause?: unknown): void;
  /** Answers whoever waits, unless that was done already. */
  answer(waiting: Waiting, outcome: RecordOutcome): void;
  refuse(waiting: Waiting, error: Fault): void;
  /** The same of as many as may wait, in order and some in a turn. Settles once all of them are told. */
  refuseAll(waiting: readonly Waiting[], recorded: Recorded, cause?: unknown): Promise<void>;
  /** Puts records that are certainly not recorded before all others, or refuses them when the ledger has stopped. */
  putBack(waiting: readonly Waiting[]): void;
}

/**
 * What is known of a record that was never sent. Nothing, once the line is broken: a copy of this process may have sent
 * it, and a store that is not what it was cannot say what it lost.
 */
export function recordedUnsent(why: Stopped | null): Recorded {
  return why === "broken" ? "unknown" : "no";
}

/** Refuses whoever still waits, of many some in a turn and one group after another: several lines may lose theirs at one moment. */
export function createRefusing(
  { turn, now }: Pick<Timing, "turn" | "now">,
  leave: (waiting: Waiting) => boolean,
): Pick<Shared, "refuse" | "refuseAll"> {
  const crowd = createCrowdRoom({ turn, nowMs: now });
  const refuse = (waiting: Waiting, error: Fault): void => {
    if (leave(waiting)) waiting.reject(error);
  };
  return {
    refuse,
    refuseAll: (waiting, recorded, cause) =>
      crowd.each(waiting, (one) => refuse(one, new LedgerUnavailable(recorded, cause))),
  };
}

/** What a store's error means. What it does not name might have been recorded. */
export function failureOf(error: unknown): CommitFailure {
  if (error instanceof CommitFailure) return error;
  return new CommitFailure("lost", "the commit failed in an unknown way", error);
}

/** A wait that can be cut short. */
export interface Pause {
  wait(delayMs: number): Promise<void>;
  wake(): void;
}

export function createPause(timing: Timing): Pause {
  let wake: () => void = () => {};
  return {
    wake: () => wake(),
    wait: (delayMs) =>
      new Promise<void>((resolve) => {
        const cancel = timing.after(delayMs, resolve);
        wake = () => {
          cancel();
          resolve();
        };
      }),
  };
}

/** The wait before a further attempt. */
export function pauseBefore(shared: Shared, pause: Pause, attempt: number): Promise<void> {
  return pause.wait(backoffMs(attempt, shared.timing.random));
}
