import { describe, expect, it } from "vitest";
import { parseDurationMs } from "./duration.ts";

describe("a duration", () => {
  it.each([
    ["500ms", 500],
    ["10s", 10_000],
    ["15m", 900_000],
    ["1h30m", 5_400_000],
    ["7d", 604_800_000],
    ["366d", 31_622_400_000],
  ])("%s is %i ms", (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  it.each(["", "10", "s", "1.5s", "-1s", "10 s", "1w", "0s", "367d", "10S", "9999999999999s"])("%j is none", (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });
});
