// When calls are due. An open loop asks at its own pace whatever the server does, so a stall is felt by every call that
// falls due in it, not only by the one that waited.

export interface Schedule {
  readonly startMs: number;
  readonly perSecond: number;
}

/** When call `n` (from 0) is due, on the clock that `startMs` was read from. Computed, never accumulated: no drift. */
export function dueMs(schedule: Schedule, n: number): number {
  return schedule.startMs + (n * 1000) / schedule.perSecond;
}

/** How many calls are due at `nowMs`, those due at this very instant included. */
export function dueBy(schedule: Schedule, nowMs: number): number {
  if (nowMs < schedule.startMs) return 0;
  const n = Math.floor(((nowMs - schedule.startMs) * schedule.perSecond) / 1000);
  // The division may round across a due time; it is put right by asking when its neighbours are due.
  if (dueMs(schedule, n) > nowMs) return n;
  return dueMs(schedule, n + 1) <= nowMs ? n + 2 : n + 1;
}

/** Rounds of short runs in alternating order, so that a slow minute of a shared machine falls on both sides: A B, B A, A B … */
export function alternating<T>(sides: readonly T[], rounds: number): T[][] {
  return Array.from({ length: rounds }, (_, round) => (round % 2 === 0 ? [...sides] : [...sides].reverse()));
}
