import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

const backoff = { firstMs: 100, maxMs: 1_000 };

test("waits double up to the longest, and half of each is left to chance", () => {
  expect([1, 2, 3, 4, 5, 5_000].map((n) => backoffMs(backoff, n, 0))).toEqual([50, 100, 200, 400, 500, 500]);
  expect([1, 5].map((n) => backoffMs(backoff, n, 1))).toEqual([100, 1_000]);
});
