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

const SECOND_MS = 1000;
const TEXT_CHARS = "1970-01-01T00:00:00.000Z".length;
// Thousands of decisions share a second, and each names several: now, its deadlines, the opening of its session.
// Writing a date out is dearer than all the rest of an entry's times.
const PLACES = 64;
const seconds: number[] = Array.from({ length: PLACES }, () => Number.NaN);
const texts: string[] = Array.from({ length: PLACES }, () => "");

/** A second as it is written, up to its point. */
function textOf(second: number): string {
  const place = second & (PLACES - 1);
  if (seconds[place] !== second) {
    texts[place] = new Date(second * SECOND_MS).toISOString().slice(0, -4);
    seconds[place] = second;
  }
  return texts[place] as string;
}

/** RFC 3339 with milliseconds, UTC: how every time is written in an entry. */
export function rfc3339(ms: number): string {
  const second = Math.floor(ms / SECOND_MS);
  return `${textOf(second)}${String(Math.floor(ms) - second * SECOND_MS).padStart(3, "0")}Z`;
}

const digit = (text: string, at: number) => text.charCodeAt(at) - 48;
const twoDigits = (text: string, at: number) => 10 * digit(text, at) + digit(text, at + 1);

// The times of a decision are mostly of one day.
let [day, dayMs] = ["", Number.NaN];

/** The time that `rfc3339` has written, in milliseconds. A Decide asks six times, and `Date.parse` takes ten times as long. */
export function msOf(text: string): number {
  // Years beyond 9999 are written longer.
  if (text.length !== TEXT_CHARS) return Date.parse(text);
  if (!text.startsWith(day) || Number.isNaN(dayMs)) {
    day = text.slice(0, 11);
    dayMs = Date.parse(`${day}00:00:00.000Z`);
  }
  const seconds = (60 * twoDigits(text, 11) + twoDigits(text, 14)) * 60 + twoDigits(text, 17);
  return dayMs + SECOND_MS * seconds + 10 * twoDigits(text, 20) + digit(text, 22);
}

/** The UTC day of a time, YYYY-MM-DD: what calls and records are partitioned by. */
export function utcDay(ms: number): string {
  return rfc3339(ms).slice(0, 10);
}
