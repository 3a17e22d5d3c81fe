/** Who was answered lately may ask again at once: so many have ended, and have not been followed by another. */
export interface AskedAgain {
  /** To be called as a call ends. */
  ended(): void;
  /** Whether one that comes now follows one that has ended: each is followed by one. */
  take(): boolean;
}

/** How many that have ended are remembered, and for how long after the last of them. */
const ENDED_MAX = 224;
const REMEMBERED_MS = 1_000;

/**
 * Tells the calls of callers who keep many in flight, each of which follows one that was answered, from those of a crowd,
 * of which none was.
 */
export function createAskedAgain(nowMs: () => number = () => performance.now()): AskedAgain {
  let count = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    ended() {
      const now = nowMs();
      if (now - lastMs > REMEMBERED_MS) count = 0;
      lastMs = now;
      if (count < ENDED_MAX) count++;
    },
    take() {
      if (count === 0 || nowMs() - lastMs > REMEMBERED_MS) return false;
      count--;
      return true;
    },
  };
}
