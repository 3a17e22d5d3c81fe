import { expect, test } from "vitest";
import { expectedRevision, percent, percentText, policyChoice } from "./policy-choice.ts";

test("a policy is named with its version or without", () => {
  expect(policyChoice("payments")).toEqual({ policy: "payments", version: 0 });
  expect(policyChoice("payments@12")).toEqual({ policy: "payments", version: 12 });
  for (const text of ["", "payments@", "payments@0", "payments@x", "a b", "@3"]) {
    expect(() => policyChoice(text), text).toThrow("not a policy");
  }
});

test("per cent are exact to the basis point", () => {
  expect(["0", "0.01", "7.5", "10", "33.33", "100", "100.00"].map(percent)).toEqual([
    0, 1, 750, 1000, 3333, 10_000, 10_000,
  ]);
  for (const text of ["", "-1", "100.01", "101", "1.234", "ten", "10%"]) {
    expect(() => percent(text), text).toThrow("--percent");
  }
  expect([0, 1, 750, 10_000].map(percentText)).toEqual(["0 %", "0.01 %", "7.5 %", "100 %"]);
});

test("a revision is a whole number, and none asks nothing", () => {
  expect([expectedRevision(undefined), expectedRevision("17")]).toEqual([0n, 17n]);
  for (const text of ["1.5", "-1", "", "0", "00"])
    expect(() => expectedRevision(text), text).toThrow("--expected-revision");
});
