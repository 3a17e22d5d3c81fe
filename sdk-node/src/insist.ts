import type { Timers } from "./timers.ts";

/** How something is tried again and again under one deadline. */
export interface Insistence {
  /** In all, milliseconds. */
  readonly deadlineMs: number;
  /** When so long has passed and one try is still unanswered, another starts beside it. */
  readonly hedgeMs?: number | undefined;
  /** Tries in all. */
  readonly triesMax: number;
  /** The wait before the n-th retry, n from 1. */
  waitMs(n: number): number;
  /** Whether an error is worth another try. */
  mayRetry(error: unknown): boolean;
  /** Ends it early: rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly timers: Timers;
}

/** No try was answered in time. `last` is the newest error, undefined when every try stayed silent. */
export class GivenUp extends Error {
  readonly last: unknown;
  readonly tries: number;

  constructor(last: unknown, tries: number) {
    super("no try was answered", { cause: last });
    this.name = "GivenUp";
    this.last = last;
    this.tries = tries;
  }
}

/** Why a try was aborted: another one was answered first. */
export class Overtaken extends Error {
  constructor() {
    super("another try was answered first");
    this.name = "Overtaken";
  }
}

/**
 * Tries until one try answers or fails for good; the others are aborted then. `attempt` gets the number of the try,
 * from 0, what is left of the deadline, and a signal. Rejects with the first error that is not worth another try, or
 * with `GivenUp`.
 */
export function insist<T>(
  attempt: (n: number, leftMs: number, signal: AbortSignal) => Promise<T>,
  how: Insistence,
): Promise<T> {
  const { timers } = how;
  const startedMs = timers.monotonicMs();
  const abort = new AbortController();
  const timersSet = new Set<() => void>();
  return new Promise((resolve, reject) => {
    let started = 0;
    let running = 0;
    let failed = 0;
    let waiting = false;
    let over = false;
    let last: unknown;

    const finish = (settle: () => void, why?: Overtaken): void => {
      if (over) return;
      over = true;
      how.signal?.removeEventListener("abort", stopped);
      for (const cancel of timersSet) cancel();
      settle();
      abort.abort(why);
    };
    const stopped = (): void => finish(() => reject(how.signal?.reason));
    const giveUp = (): void => finish(() => reject(new GivenUp(last, started)));
    const later = (ms: number, callback: () => void): void => {
      timersSet.add(timers.after(ms, callback));
    };

    const failedTry = (error: unknown): void => {
      running--;
      if (over) return;
      if (!how.mayRetry(error)) {
        finish(() => reject(error));
        return;
      }
      last = error;
      failed++;
      if (waiting) return;
      if (started >= how.triesMax) {
        if (running === 0) giveUp();
        return;
      }
      waiting = true;
      later(how.waitMs(failed), () => {
        waiting = false;
        start();
      });
    };
    const start = (): void => {
      if (over || started >= how.triesMax) return;
      const leftMs = how.deadlineMs - (timers.monotonicMs() - startedMs);
      running++;
      const answered = (value: T): void => finish(() => resolve(value), new Overtaken());
      attempt(started++, leftMs, abort.signal).then(answered, failedTry);
    };

    if (how.signal?.aborted) {
      stopped();
      return;
    }
    how.signal?.addEventListener("abort", stopped, { once: true });
    later(how.deadlineMs, giveUp);
    if (how.hedgeMs !== undefined && how.hedgeMs < how.deadlineMs) {
      later(how.hedgeMs, () => {
        if (running === 1) start();
      });
    }
    start();
  });
}
