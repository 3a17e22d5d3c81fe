import fc from "fast-check";
import { expect, test } from "vitest";
import { betterTime, createStoreClock, type StoreTime, type TimeSample, tellTime } from "./store-time.ts";

const sample = (storeMs: number, sentAtMs: number, heardAtMs = sentAtMs): TimeSample => ({
  storeMs,
  sentAtMs,
  heardAtMs,
});

test("a sample places the store's time in its middle, and is wrong by half of what it took", () => {
  expect(betterTime(undefined, sample(1_000_010, 100, 120))).toEqual({
    offsetMs: 999_900,
    errorMs: 10,
    asOfMs: 110,
  });
});

test("a slow answer does not displace a quick one, until the quick one has grown old", () => {
  const quick = betterTime(undefined, sample(1_000_000, 0, 2));
  expect(betterTime(quick, sample(1_000_100, 100, 140))).toBe(quick);
  const late = sample(1_100_000 + 60, 100_000, 100_040);
  expect(betterTime(quick, late).errorMs).toBe(20);
});

test("a store whose clock was set is believed at once", () => {
  const before = betterTime(undefined, sample(1_000_000, 0, 2));
  const after = betterTime(before, sample(4_600_000, 1_000, 1_100));
  expect(after.offsetMs).toBe(4_598_950);
});

test("time goes on at half its speed where it was told too early, and then at its own", () => {
  const time: StoreTime = { offsetMs: 1_000, errorMs: 0, asOfMs: 0 };
  const told = { storeMs: 1_500, atMs: 0 };
  expect(tellTime(time, told, 400).storeMs).toBe(1_700);
  expect(tellTime(time, told, 1_000).storeMs).toBe(2_000);
  expect(tellTime(time, told, 1_600).storeMs).toBe(2_600);
});

test("the skew of this machine's clock is told without what may be error", () => {
  const clock = createStoreClock({ now: () => 0 }, sample(10_000, -100, 100));
  expect(clock.skewMs({ now: () => 10_700 })).toBe(600);
  expect(clock.skewMs({ now: () => 9_300 })).toBe(-600);
  expect(clock.skewMs({ now: () => 10_080 })).toBe(0);
});

const latency = fc.integer({ min: 0, max: 400 });
const step = fc.record({
  afterMs: fc.integer({ min: 0, max: 5_000 }),
  toMs: latency,
  backMs: latency,
  setMs: fc.option(fc.integer({ min: -1e7, max: 1e7 }), { freq: 8 }),
});

test("whatever the store's clock does, time here never goes backwards", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      let nowMs = 0;
      let aheadMs = 1e12;
      const clock = createStoreClock({ now: () => nowMs }, sample(aheadMs, 0));
      let before = clock.now();
      for (const { afterMs, toMs, backMs, setMs } of steps) {
        aheadMs += setMs ?? 0;
        const sentAtMs = nowMs;
        nowMs += toMs;
        const storeMs = nowMs + aheadMs;
        nowMs += backMs;
        clock.heard({ storeMs, sentAtMs, heardAtMs: nowMs });
        nowMs += afterMs;
        const told = clock.now();
        expect(told).toBeGreaterThanOrEqual(before);
        before = told;
      }
    }),
  );
});

test("while the store's clock is not set, the time told is the store's, as well as the best sample can tell", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
      let nowMs = 0;
      const aheadMs = 1e12;
      const clock = createStoreClock({ now: () => nowMs }, sample(aheadMs + 400, 0, 800));
      for (const { afterMs, toMs, backMs } of steps) {
        const sentAtMs = nowMs;
        nowMs += toMs + backMs;
        clock.heard({ storeMs: sentAtMs + toMs + aheadMs, sentAtMs, heardAtMs: nowMs });
        nowMs += afterMs;
        // Told later than any sample, and so never held back by what was told before.
        const wrongMs = Math.abs(clock.skewMs({ now: () => nowMs + aheadMs }));
        expect(wrongMs).toBe(0);
      }
      expect(Math.abs(clock.now() - (nowMs + aheadMs))).toBeLessThanOrEqual(401);
    }),
  );
});
