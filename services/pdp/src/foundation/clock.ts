/** Where time comes from: an argument everywhere, so that what was decided can be decided again. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that its owner moves, for logs that are played again and for tests. */
export function settableClock(startMs: number): Clock & { set(ms: number): void } {
  let current = startMs;
  return {
    now: () => current,
    set: (ms) => {
      current = ms;
    },
  };
}

/** RFC 3339 with milliseconds, UTC: how every time is written in an entry. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}

/** The UTC day of a time, YYYY-MM-DD: what calls and records are partitioned by. */
export function utcDay(ms: number): string {
  return rfc3339(ms).slice(0, 10);
}
