import { expect, test } from "vitest";
import { emptyCells, faultNames, stepNames, wronglyImpossible } from "./coverage.ts";
import { play } from "./run.ts";
import { variants } from "./variants.ts";

const SCHEDULES = 400;
const UNTIL_CAUGHT_MAX = 4_000;
/** On a machine that has much else to do. */
const SLOW_MS = 300_000;
/** Where the rarest are found soon; what has changed since may have moved them. */
const BEGIN: Readonly<Record<string, number>> = {
  "hold ended by who handed it over": 1_133,
  "hold ended by two records of one batch": 63,
  "lost acknowledgement retried blindly": 166,
  "lost acknowledgement read without a fence": 1_305,
  "lost acknowledgement read as it was before the fence": 2_579,
  "hold that was given more time runs out": 3_061,
  "call of a business key held for under each of its ids": 80,
  "what waited for people is kept where it is only watched": 139,
};

test(
  "whatever befalls replicas, callers and the store, no budget is overspent and the books balance",
  async () => {
    const { wrong, cells, answers } = await play(1, SCHEDULES);
    expect(wrong).toBeUndefined();
    // A simulation in which something never happened proves nothing about it. Every cell of the table takes a longer run.
    const pairs = [...cells.keys()].map((cell) => cell.split(" × "));
    expect(faultNames.filter((fault) => !pairs.some(([one]) => one === fault))).toEqual([]);
    expect(stepNames.filter((step) => !pairs.some(([, one]) => one === step))).toEqual([]);
    expect(wronglyImpossible(cells)).toEqual([]);
    expect(emptyCells(cells).length).toBeLessThan((faultNames.length * stepNames.length) / 2);
    expect([...answers.keys()]).toEqual(
      expect.arrayContaining([
        "allow: observed",
        "allow: rule_allowed",
        "clarify: facts_missing",
        "deny: already_executed",
        "deny: anomalous_spend",
        "deny: approval_expired",
        "deny: budget_exhausted",
        "deny: budget_frozen",
        "deny: budget_unavailable",
        "deny: decision_expired",
        "deny: rule_denied",
        "deny: tenant_suspended",
        "escalate: approval_required",
        "transform: rule_transformed",
      ]),
    );
  },
  SLOW_MS,
);

test.each(Object.keys(variants))(
  "the simulation catches: %s",
  async (variant) => {
    expect((await play(BEGIN[variant] ?? 1, UNTIL_CAUGHT_MAX, variant)).wrong).toBeDefined();
  },
  SLOW_MS,
);
