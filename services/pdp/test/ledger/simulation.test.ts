import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";
import { protocol, type Rules } from "./world.ts";

const SCHEDULES = 1_200;

test("whatever befalls the store, what is answered is recorded once, and what is said of it is true", async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const simulated = await simulate(seed, protocol);
    expect(simulated.violations, `seed ${seed}`).toEqual([]);
    for (const [what, times] of simulated.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  }
  // A simulation in which something never happened proves nothing about it.
  expect([...seen.keys()].sort()).toEqual([
    "answer: existing",
    "answer: inserted",
    "answer: refused",
    "answer: reused",
    "answer: stale",
    "answer: unavailable, recorded: no",
    "answer: unavailable, recorded: unknown",
    "fault: answer lost",
    "fault: connection cut, backend killed",
    "fault: connection cut, backend lives on",
    "fault: replica fenced",
    "fault: security changed",
    "fault: store away",
    "fault: store back",
    "fault: writer fenced by hand",
    "step: answer to fence",
    "step: answer to look up",
    "step: answer to new writer",
    "step: answer to register",
    "step: answer travels",
    "step: backend sleeps",
    "step: fence",
    "step: look up",
    "step: new writer",
    "step: register",
    "step: second look travels",
    "step: statement arrives",
    "step: statement commits",
  ]);
});

const wrongRules: readonly (readonly [string, Partial<Rules>])[] = [
  ["a lost acknowledgement means not recorded", { lost: "not_recorded" }],
  ["reading without a fence", { fence: "does_nothing" }],
  ["retrying without a fence", { fence: "does_nothing", lookUp: "finds_nothing" }],
  ["a fence that waits for no statement", { fence: "does_not_wait" }],
  ["a statement that does not ask for its writer", { statement: "does_not_ask" }],
  ["fewer rows than given mean that the writer is fenced", { missing: "means_fenced" }],
  ["a row that was not inserted counts as inserted", { missing: "means_inserted" }],
  ["counting on from the rows of the batch", { base: "count_of_batch" }],
  ["a bad row fails its whole batch", { poison: "whole_batch_fenced" }],
];

test.each(wrongRules)("the simulation catches: %s", async (_name, wrong) => {
  let caught = false;
  for (let seed = 1; seed <= SCHEDULES && !caught; seed++) {
    caught = (await simulate(seed, { ...protocol, ...wrong })).violations.length > 0;
  }
  expect(caught).toBe(true);
});
