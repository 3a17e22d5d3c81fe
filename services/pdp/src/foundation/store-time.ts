import type { Clock } from "./clock.ts";

/** What the store said its time was, and between which two moments of our monotonic clock, all in milliseconds. */
export interface TimeSample {
  readonly storeMs: number;
  readonly sentAtMs: number;
  readonly heardAtMs: number;
}

/** How far the store's clock is ahead of our monotonic one, and how wrong that may be, as of a moment of the latter. */
export interface StoreTime {
  readonly offsetMs: number;
  readonly errorMs: number;
  readonly asOfMs: number;
}

/** What two clocks that keep time badly drift apart by, at most: 500 millionths, the bound of RFC 5905. */
const DRIFT = 0.0005;

/**
 * The better of what was known and of what a further sample tells. A sample places the store's time in the middle of its
 * two moments, and is wrong by at most half of what lies between. What is known grows older and so less certain. A sample
 * that cannot be true together with it is believed: the store's clock was set, or another server took over.
 */
export function betterTime(before: StoreTime | undefined, { storeMs, sentAtMs, heardAtMs }: TimeSample): StoreTime {
  const middleMs = (sentAtMs + heardAtMs) / 2;
  const sampled = { offsetMs: storeMs - middleMs, errorMs: (heardAtMs - sentAtMs) / 2, asOfMs: middleMs };
  if (!before) return sampled;
  const agedErrorMs = before.errorMs + Math.max(0, middleMs - before.asOfMs) * DRIFT;
  const contradicts = Math.abs(sampled.offsetMs - before.offsetMs) > sampled.errorMs + agedErrorMs;
  return contradicts || sampled.errorMs <= agedErrorMs ? sampled : before;
}

/** A time that was told, and when that was. */
export interface Told {
  readonly storeMs: number;
  readonly atMs: number;
}

/**
 * The store's time at a moment that is no earlier than the last one, never earlier than what was told then. Where that
 * would be ahead of the store, it passes half as fast until the store has caught up, so that nothing stands still.
 */
export function tellTime(time: StoreTime, last: Told | undefined, atMs: number): Told {
  const presentMs = atMs + time.offsetMs;
  if (!last || presentMs >= last.storeMs) return { storeMs: presentMs, atMs };
  return { storeMs: last.storeMs + Math.max(0, atMs - last.atMs) / 2, atMs };
}

/** The clock of the store, told here without asking it. */
export interface StoreClock extends Clock {
  /** Takes what a further look at the store's clock told. */
  heard(sample: TimeSample): void;
  /** How far a clock of this machine is ahead of the store's, in milliseconds, at least: what may be error is left out. */
  skewMs(wall: Clock): number;
}

/** A clock that goes by the store's, whole milliseconds, never backwards. `monotonic` passes as this process does. */
export function createStoreClock(monotonic: Clock, first: TimeSample): StoreClock {
  let time = betterTime(undefined, first);
  let last: Told | undefined;
  return {
    now: () => {
      last = tellTime(time, last, monotonic.now());
      return Math.floor(last.storeMs);
    },
    heard: (sample) => {
      time = betterTime(time, sample);
    },
    skewMs: (wall) => {
      const aheadMs = wall.now() - (monotonic.now() + time.offsetMs);
      return Math.sign(aheadMs) * Math.max(0, Math.abs(aheadMs) - time.errorMs);
    },
  };
}
