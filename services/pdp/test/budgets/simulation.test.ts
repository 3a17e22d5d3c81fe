import { expect, test } from "vitest";
import { emptyCells, faultNames, stepNames } from "./coverage.ts";
import { play } from "./run.ts";
import { variants } from "./variants.ts";

const SCHEDULES = 400;
const UNTIL_CAUGHT_MAX = 4_000;
/** Where the rarest are found soon; what has changed since may have moved them. */
const BEGIN: Readonly<Record<string, number>> = {
  "hold ended by who handed it over": 1_060,
  "lost acknowledgement read without a fence": 432,
  "lost acknowledgement retried blindly": 115,
  "fence that waits for no statement": 45,
  "commit of a writer that was shut out": 33,
  "adoption holds a second time": 28,
};

test("whatever befalls replicas, callers and the store, no budget is overspent and the books balance", async () => {
  const { wrong, cells, answers } = await play(1, SCHEDULES);
  expect(wrong).toBeUndefined();
  // A simulation in which something never happened proves nothing about it. Every cell of the table takes a longer run.
  const pairs = [...cells.keys()].map((cell) => cell.split(" × "));
  expect(faultNames.filter((fault) => !pairs.some(([one]) => one === fault))).toEqual([]);
  expect(stepNames.filter((step) => !pairs.some(([, one]) => one === step))).toEqual([]);
  expect(emptyCells(cells).length).toBeLessThan((faultNames.length * stepNames.length) / 2);
  expect([...answers.keys()]).toEqual(
    expect.arrayContaining([
      "allow: rule_allowed",
      "deny: already_executed",
      "deny: approval_expired",
      "deny: budget_exhausted",
      "deny: budget_frozen",
      "deny: budget_unavailable",
      "deny: decision_expired",
      "escalate: approval_required",
    ]),
  );
}, 180_000);

test.each(Object.keys(variants))("the simulation catches: %s", async (variant) => {
  expect((await play(BEGIN[variant] ?? 1, UNTIL_CAUGHT_MAX, variant)).wrong).toBeDefined();
});
