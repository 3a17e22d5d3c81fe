import { expect, test } from "vitest";
import { playSequencers, type SequencerRules, sequencerRules } from "./sequencer-world.ts";

const SCHEDULES = 400;

/** The first schedule in which the symptom shows, or anything where none is named; and what was wrong in it. */
function firstWrong(rules: SequencerRules, destroys: boolean, symptom?: string) {
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const wrong = playSequencers(seed, rules, destroys);
    if (symptom === undefined ? wrong.length > 0 : wrong.includes(symptom)) return { seed, wrong };
  }
  return undefined;
}

test("whoever sequences, and whoever is killed while it does, every record has one place, after what it follows from", () => {
  expect(firstWrong(sequencerRules, false)).toBeUndefined();
});

test("a record that is missing stops the line, and what has a place is right", () => {
  expect(firstWrong(sequencerRules, true)).toBeUndefined();
});

test.each<[string, Partial<SequencerRules>, string, boolean]>([
  ["only what is after the last ord is new", { news: "after the last ord" }, "a record has no place", false],
  ["writers one after the other", { order: "by writer and n" }, "what follows stands before", false],
  ["the head is locked by the statement that reads", { fence: "one statement" }, "a place is given twice", false],
  ["two at once, without the head", { fence: "no head" }, "a place is given twice", false],
  ["cursors are moved without the head", { cursors: "moved afterwards" }, "a record has two places", false],
  ["what is missing is passed over", { missing: "is passed over" }, "a missing record was passed over", true],
])("the simulation catches: %s", (_name, wrong, symptom, destroys) => {
  expect(firstWrong({ ...sequencerRules, ...wrong }, destroys, symptom)).toBeDefined();
});
