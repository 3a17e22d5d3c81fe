/** How the ledger waits: an argument, so that a test can play hours of faults in a moment. */
export interface Timing {
  /** Milliseconds from an arbitrary start that never go backwards. */
  now(): number;
  /** Runs later. Answers how to call it off. */
  after(delayMs: number, run: () => void): () => void;
  /** Settles when what is ready now, as what has come over the network, has been seen to. */
  turn(): Promise<void>;
  /** At least 0, less than 1: spreads the reconnections of many replicas. */
  random(): number;
}

export const systemTiming: Timing = {
  now: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  random: Math.random,
};

const FIRST_DELAY_MS = 25;
const LONGEST_DELAY_MS = 1_000;

/** How long to wait before the given attempt, from 1: doubling, bounded, and anywhere in the upper half of it. */
export function backoffMs(attempt: number, random: () => number): number {
  const ceilingMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 16));
  return ceilingMs * (0.5 + random() / 2);
}
