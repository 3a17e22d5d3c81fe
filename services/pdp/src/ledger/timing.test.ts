import { expect, test } from "vitest";
import { backoffMs } from "./timing.ts";

test("delays double from 25 ms and never pass a second", () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 50].map((attempt) => backoffMs(attempt, () => 1));
  expect(longest).toEqual([25, 50, 100, 200, 400, 800, 1000, 1000]);
});

test("a delay is at least half of its ceiling, so that attempts are spread and never immediate", () => {
  expect(backoffMs(1, () => 0)).toBe(12.5);
  expect(backoffMs(9, () => 0)).toBe(500);
});
