import { setImmediate as nextTurn } from "node:timers/promises";
import type { Timers } from "../../src/index.ts";

export interface ManualTimers extends Timers {
  /** Moves time, calling back whatever becomes due on the way, in order. */
  advance(ms: number): void;
  /** Moves time in small steps, with I/O in between, until the condition holds. */
  advanceUntil(holds: () => boolean): Promise<void>;
}

interface Waiting {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export function manualTimers(wallStartMs: number = Date.UTC(2026, 10, 21)): ManualTimers {
  let nowMs = 0;
  const waiting = new Set<Waiting>();
  const advance = (ms: number): void => {
    const untilMs = nowMs + ms;
    for (;;) {
      const due = [...waiting].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      waiting.delete(due);
      nowMs = Math.max(nowMs, due.atMs);
      due.callback();
    }
    nowMs = untilMs;
  };
  return {
    monotonicMs: () => nowMs,
    wallMs: () => wallStartMs + nowMs,
    after: (ms, callback) => {
      const one = { atMs: nowMs + ms, callback };
      waiting.add(one);
      return () => waiting.delete(one);
    },
    advance,
    advanceUntil: async (holds) => {
      while (!holds()) {
        advance(5);
        await nextTurn();
      }
    },
  };
}

/** Lets I/O happen until the condition holds; time stands still. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn();
}
