import type { Reach, TripKind } from "./event.ts";
import { BACK_OFF_MS_MAX } from "./memory.ts";

/** Kinds that are counted in a run; spending is counted over all runs of an agent. */
export type CallTripKind = Exclude<TripKind, "spending">;

/** How many there may be before the next call is denied; Infinity: no limit. */
export interface CallLimits {
  /** Identical calls within ten minutes that brought nothing new. */
  readonly identical: number;
  /** Failures one after the other. */
  readonly failures: number;
  /** Denials of one class one after the other. */
  readonly denials: number;
  readonly perSecond: number;
  readonly perMinute: number;
}

export const NO_CALL_LIMITS: CallLimits = {
  identical: Number.POSITIVE_INFINITY,
  failures: Number.POSITIVE_INFINITY,
  denials: Number.POSITIVE_INFINITY,
  perSecond: Number.POSITIVE_INFINITY,
  perMinute: Number.POSITIVE_INFINITY,
};

/** What binds where no document says less. docs/breakers.md says what they were tried on. */
export const DEFAULT_CALL_LIMITS: CallLimits = {
  identical: 10,
  failures: 8,
  denials: 8,
  perSecond: 50,
  perMinute: 600,
};

/** All sessions of one run together may do this many times what one of them may. */
const RUN_FACTOR = 4;

/** The last trip of a breaker, where it is remembered. */
export interface LastTrip {
  readonly atMs: number;
  readonly level: number;
  readonly untilMs: number;
  /** There was a success since: its back-off is over. */
  readonly cleared: boolean;
}

/** What one breaker sees when a call is asked: with its limit and the time, all that its answer depends on. */
export interface Measure {
  readonly kind: CallTripKind;
  readonly reach: Reach;
  /** As in the trip that it becomes. */
  readonly of: string;
  /** How many there were before this call: since the last trip, and in the kind's window. */
  readonly count: number;
  /** Of a rate: when there will be room for one more call. */
  readonly freesAtMs: number;
  readonly last: LastTrip | undefined;
}

/** That a breaker stops a call. */
export interface Stop {
  /** True when this call opened it, false when it was open. */
  readonly opened: boolean;
  readonly level: number;
  readonly untilMs: number;
}

/** Once it has tripped, one more is one too many, until a success. A rate is what it is. */
const LIMIT_AFTER_TRIP = 1;
const LEVEL_MAX = 20;

const BACK_OFF_MS: Readonly<Record<CallTripKind, number>> = {
  identical: 10_000,
  failures: 10_000,
  denials: 10_000,
  second: 1_000,
  minute: 10_000,
};

/** Whether a kind is a flood, not a loop. */
export const isRate = (kind: TripKind): boolean => kind === "second" || kind === "minute";

/** How long a breaker stays open: twice as long with every trip, ten minutes at most. Whole milliseconds. */
function backOffMs(kind: CallTripKind, level: number): number {
  return Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS[kind] * 2 ** Math.min(level, LEVEL_MAX));
}

/** The limit that a kind goes by, for one session or for all of a run. */
export function limitOf(limits: CallLimits, kind: CallTripKind, reach: Reach): number {
  const named = kind === "second" ? limits.perSecond : kind === "minute" ? limits.perMinute : limits[kind];
  return reach === "run" ? named * RUN_FACTOR : named;
}

/** What one breaker answers. Pure: an entry that holds the measure and the limit is answered the same again. */
export function stopOf({ kind, count, freesAtMs, last }: Measure, limit: number, nowMs: number): Stop | undefined {
  const living = last && !last.cleared ? last : undefined;
  if (living && nowMs < living.untilMs) return { opened: false, level: living.level, untilMs: living.untilMs };
  const allowed = living && !isRate(kind) ? Math.min(limit, LIMIT_AFTER_TRIP) : limit;
  if (count < allowed) return undefined;
  const level = living ? living.level + 1 : 0;
  return { opened: true, level, untilMs: Math.max(nowMs + backOffMs(kind, level), freesAtMs) };
}
