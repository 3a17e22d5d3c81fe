import { expect, test } from "vitest";
import { stalePolicy, tooStale } from "./staleness.ts";

test.each([
  ["read", 10_000, false],
  ["read", 10_001, true],
  ["write", 2_000, false],
  ["write", 2_001, true],
  ["destructive", 2_001, true],
  ["unclassified", 2_001, true],
  ["a risk that nobody knows yet", 2_001, true],
  [undefined, 2_001, true],
  [undefined, 2_000, false],
])("a tool of risk %s is decided on policies of %i ms: too old is %s", (risk, stalenessMs, expected) => {
  expect(tooStale(stalenessMs, risk)).toBe(expected);
});

test("the refusal says how old they are, what the limits are, and that asking again may help", () => {
  expect(stalePolicy(2_600.4)).toMatchObject({ kind: "unavailable", reason: "stale_policy", retryable: true });
  expect(stalePolicy(2_600.4).message).toContain("2600 ms");
});
