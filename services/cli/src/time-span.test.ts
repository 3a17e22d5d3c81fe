import { expect, test } from "vitest";
import { sinceMs } from "./time-span.ts";

const nowMs = Date.parse("2026-03-02T12:00:00Z");

test("a duration reaches back from now, a time is what it says", () => {
  expect(sinceMs("24h", nowMs)).toBe(Date.parse("2026-03-01T12:00:00Z"));
  expect(sinceMs("15m", nowMs)).toBe(Date.parse("2026-03-02T11:45:00Z"));
  expect(sinceMs("2026-02-01T00:00:00+02:00", nowMs)).toBe(Date.parse("2026-01-31T22:00:00Z"));
});

test.each(["yesterday", "24", "2026-02-01", "2026-02-31T99:00:00Z"])("%s is neither", (text) => {
  expect(() => sinceMs(text, nowMs)).toThrow("--since");
});
