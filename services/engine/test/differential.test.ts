import { describe, expect, it } from "vitest";
import { casesToFind, differential, newTally } from "./differential/run.ts";
import { shrunk } from "./differential/shrink.ts";
import { toldDifference } from "./differential/told.ts";
import { flaws } from "./naive/flaws.ts";

const codes = [
  "allow approval_granted",
  "allow clarified",
  "allow observed",
  "allow rule_allowed",
  "clarify evaluation_error",
  "clarify facts_missing",
  "deny constraint_unsupported",
  "deny evaluation_error",
  "deny input_invalid",
  "deny no_rule_matched",
  "deny rule_denied",
  "deny scope_exceeded",
  "deny tool_schema_changed",
  "deny tool_suspended",
  "deny tool_unknown",
  "deny transform_conflict",
  "deny transform_invalid",
  "escalate approval_required",
  "escalate evaluation_error",
  "transform rule_transformed",
];

function expectNoDifference(seed: number, worlds: number, callsPerWorld: number) {
  const tally = newTally();
  const difference = differential({ seed, from: 0, worlds, callsPerWorld }, tally);
  expect(difference && `seed ${seed}: ${toldDifference(shrunk(difference))}`).toBeUndefined();
  return tally;
}

describe("random calls of random policies", { timeout: 120_000 }, () => {
  it("are judged by the engine as by reading the documents from top to bottom", () => {
    const tally = expectNoDifference(Math.floor(Math.random() * 2 ** 32), 30, 60);
    // Of some thousand worlds one has a condition that the compiler refuses.
    expect(tally.rejected).toBeLessThanOrEqual(1);
    expect(tally.unknown / tally.cases).toBeGreaterThan(0.1);
    expect(tally.would / tally.cases).toBeGreaterThan(0.03);
  });

  it("end with every effect and every code, each in its share", () => {
    const { codes: seen, cases } = expectNoDifference(20261121, 60, 40);
    expect([...seen.keys()].sort()).toEqual(codes);
    const share = (...effects: readonly string[]) =>
      [...seen]
        .filter(([code]) => effects.some((effect) => code.startsWith(effect)))
        .reduce((all, [, n]) => all + n, 0) / cases;
    expect(share("allow rule_allowed", "allow approval_granted", "allow clarified")).toBeGreaterThan(0.08);
    for (const effect of ["transform", "escalate", "clarify"]) expect(share(effect), effect).toBeGreaterThan(0.01);
    expect(share("deny rule_denied")).toBeGreaterThan(0.01);
  });

  it("tell an evaluator with a mistake from one without, for every mistake", () => {
    const found = casesToFind(flaws, { seed: 25, from: 0, worlds: 200, callsPerWorld: 40 });
    expect(flaws.filter((flaw) => !found.has(flaw))).toEqual([]);
  });
});
