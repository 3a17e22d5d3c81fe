import fc from "fast-check";
import { expect, test } from "vitest";
import { fullBucket, giveBack, perSecond, takeToken } from "./token-bucket.ts";

const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 5_000 }), burst: fc.integer({ min: 1, max: 500 }) });
// Pauses between askings, in milliseconds; a clock may go back a little.
const pauses = fc.array(fc.integer({ min: -50, max: 400 }), { minLength: 1, maxLength: 300 });

test("in no stretch of time is more taken than the burst and what the rate gives meanwhile", () => {
  fc.assert(
    fc.property(rates, pauses, (rate, list) => {
      let nowMs = 1_000;
      const bucket = fullBucket(rate, nowMs);
      const taken: number[] = [];
      let latestMs = nowMs;
      for (const pause of list) {
        nowMs += pause;
        latestMs = Math.max(latestMs, nowMs);
        if (takeToken(bucket, rate, nowMs) === 0) taken.push(latestMs);
      }
      for (let from = 0; from < taken.length; from++) {
        for (let to = from; to < taken.length; to++) {
          const seconds = ((taken[to] ?? 0) - (taken[from] ?? 0)) / 1000;
          expect(to - from + 1).toBeLessThanOrEqual(rate.burst + seconds * rate.perSecond + 1e-6);
        }
      }
    }),
  );
});

test("whoever waits as long as it was told gets a token", () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 0, max: 600 }), (rate, times) => {
      const bucket = fullBucket(rate, 0);
      for (let at = 0; at < times; at++) takeToken(bucket, rate, 0);
      const waitMs = takeToken(bucket, rate, 0);
      expect(waitMs === 0 || takeToken(bucket, rate, waitMs) === 0).toBe(true);
    }),
  );
});

test("a rate of none gives nothing, ever", () => {
  const bucket = fullBucket(perSecond(0), 0);
  expect(takeToken(bucket, perSecond(0), 1e12)).toBe(Number.POSITIVE_INFINITY);
});

test("what is given back can be taken again, and never fills beyond the burst", () => {
  const rate = perSecond(1);
  const bucket = fullBucket(rate, 0);
  giveBack(bucket, rate);
  expect([takeToken(bucket, rate, 0), takeToken(bucket, rate, 0)]).toEqual([0, 1000]);
  giveBack(bucket, rate);
  expect(takeToken(bucket, rate, 0)).toBe(0);
});
