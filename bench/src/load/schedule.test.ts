import fc from "fast-check";
import { expect, test } from "vitest";
import { alternating, dueBy, dueMs } from "./schedule.ts";

test("calls fall due at the rate's distance, the first at the start", () => {
  const schedule = { startMs: 1_000, perSecond: 2_000 };
  expect([0, 1, 2, 2_000].map((n) => dueMs(schedule, n))).toEqual([1_000, 1_000.5, 1_001, 2_000]);
});

test("nothing is due before the start, and the first call is due at it", () => {
  const schedule = { startMs: 50, perSecond: 10 };
  expect(dueBy(schedule, 49.999)).toBe(0);
  expect(dueBy(schedule, 50)).toBe(1);
});

test("at any time exactly the calls are due whose time has come", () => {
  const rates = fc.double({ min: 0.5, max: 100_000, noNaN: true });
  const waits = fc.double({ min: 0, max: 60_000, noNaN: true });
  fc.assert(
    fc.property(rates, waits, (perSecond, waitMs) => {
      const schedule = { startMs: 123.456, perSecond };
      const nowMs = schedule.startMs + waitMs;
      const due = dueBy(schedule, nowMs);
      expect(dueMs(schedule, due - 1)).toBeLessThanOrEqual(nowMs);
      expect(dueMs(schedule, due)).toBeGreaterThan(nowMs);
    }),
  );
});

test("a call that has just fallen due is counted, whatever the division rounds to", () => {
  const schedule = { startMs: 0, perSecond: 3 };
  for (let n = 0; n < 10_000; n += 1) expect(dueBy(schedule, dueMs(schedule, n))).toBe(n + 1);
});

test("rounds alternate, so that each side is first as often as last", () => {
  expect(alternating(["a", "b"], 3)).toEqual([
    ["a", "b"],
    ["b", "a"],
    ["a", "b"],
  ]);
  expect(alternating(["a"], 2)).toEqual([["a"], ["a"]]);
});
