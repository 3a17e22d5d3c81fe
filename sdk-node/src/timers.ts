/** Where time comes from. An argument, so that a test moves it by hand. */
export interface Timers {
  /** Milliseconds on a clock that never jumps; only differences mean something. */
  monotonicMs(): number;
  /** Milliseconds since 1970, UTC. */
  wallMs(): number;
  /**
   * Calls back once after so many milliseconds; the answer cancels it. `idle` timers do not keep the process alive:
   * nobody waits for them.
   */
  after(ms: number, callback: () => void, idle?: "idle"): () => void;
}

export const systemTimers: Timers = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, callback, idle) => {
    const timer = setTimeout(callback, ms);
    if (idle) timer.unref();
    return () => clearTimeout(timer);
  },
};
