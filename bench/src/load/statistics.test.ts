import { expect, test } from "vitest";
import { keeps, median, pairedRatio } from "./statistics.ts";

test("the median is the middle value, or the mean of the two middle ones", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
  expect(() => median([])).toThrow("no median");
});

test("the median leaves its argument as it was", () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});

test("a ratio is taken pair by pair, so that one bad minute spoils one pair and not the result", () => {
  const { median: ratio, each } = pairedRatio([2, 20, 4], [1, 10, 2]);
  expect(each).toEqual([2, 2, 2]);
  expect(ratio).toBe(2);
});

test("runs without a partner are no comparison", () => {
  expect(() => pairedRatio([1, 2], [1])).toThrow("in pairs");
});

test("a bound holds at its edge, and never for what is not a number", () => {
  expect(keeps({ atLeast: 0.5 }, 0.5)).toBe(true);
  expect(keeps({ atLeast: 0.5 }, 0.49)).toBe(false);
  expect(keeps({ atMost: 2.5 }, 2.5)).toBe(true);
  expect(keeps({ atMost: 2.5 }, 2.51)).toBe(false);
  expect(keeps({ atLeast: 0 }, Number.NaN)).toBe(false);
  expect(keeps({ atMost: 1 }, Number.NaN)).toBe(false);
});
