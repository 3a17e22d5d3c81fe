import { expect, test } from "vitest";
import { type CallRules, callRules } from "./ledger-in-memory.ts";
import { simulateCalls } from "./simulate-calls.ts";

const SCHEDULES = 300;

test("whatever is asked, lost, answered and reported in whatever order, a call is one call and runs once", async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const simulated = await simulateCalls(seed, callRules);
    expect(simulated.violations, `seed ${seed}`).toEqual([]);
    for (const [what, times] of simulated.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  }
  // A simulation in which something never happened proves nothing about it.
  expect([...seen.keys()].sort()).toEqual([
    "allow: clarified",
    "allow: clarified, again",
    "allow: rule_allowed",
    "allow: rule_allowed, again",
    "call_id_reused",
    "clarify: facts_missing",
    "clarify: facts_missing, again",
    "deny: already_executed",
    "deny: already_executed, again",
    "deny: approval_expired",
    "deny: approval_expired, again",
    "deny: decision_expired, again",
    "escalate: approval_required",
    "escalate: approval_required, again",
    "ledger_unavailable",
    "report: not_executed",
    "report: running",
    "report: succeeded",
    "report: unknown",
  ]);
});

const wrongRules: readonly (readonly [string, Partial<CallRules>])[] = [
  ["two records under one key", { keys: "not_unique" }],
  ["an id that stands for two business keys", { keys: "not_unique_for_aliases" }],
  ["the same key with another request is the same call", { requests: "not_compared" }],
  ["a report that came before its decision is forgotten", { gaveUp: "in_its_own" }],
  ["only the first attempt is found", { attempts: "the_first" }],
  ["what was reported is not asked for", { reports: "forgotten" }],
];

test.each(wrongRules)("the simulation catches: %s", async (_name, wrong) => {
  let caught = false;
  for (let seed = 1; seed <= SCHEDULES && !caught; seed++) {
    caught = (await simulateCalls(seed, { ...callRules, ...wrong })).violations.length > 0;
  }
  expect(caught).toBe(true);
});
