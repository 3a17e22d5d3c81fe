import type { Waiting } from "./queue.ts";
import type { Timing } from "./timing.ts";

/** Knows how many callers wait, and looks for those who have waited too long. */
export interface Desk {
  enter(): void;
  /** Whether this answer is the caller's first. */
  leave(waiting: Waiting): boolean;
  /** Settles once nobody waits. */
  empty(): Promise<void>;
}

// How often the overdue are looked for while anybody waits: no timer a record.
const SWEEP_MS = 50;

export function createDesk(timing: Timing, refuseOverdue: (nowMs: number) => void): Desk {
  let unanswered = 0;
  let sweeping = false;
  let onEmpty: () => void = () => {};

  const watch = () => {
    if (sweeping || unanswered === 0) return;
    sweeping = true;
    timing.after(SWEEP_MS, () => {
      sweeping = false;
      refuseOverdue(timing.now());
      watch();
    });
  };

  return {
    enter: () => {
      unanswered++;
      watch();
    },
    leave: (waiting) => {
      if (waiting.answered) return false;
      waiting.answered = true;
      unanswered--;
      if (unanswered === 0) onEmpty();
      return true;
    },
    empty: () =>
      new Promise((resolve) => {
        onEmpty = resolve;
        if (unanswered === 0) resolve();
      }),
  };
}
