import { expect, test } from "vitest";
import { seeded } from "../ledger/scheduler.ts";
import { brokenPromises, planItinerary } from "./itinerary.ts";

const NAMES = ["a", "b", "c", "d", "e"];

test("all that is promised comes once though it is over, in an order of the seed", () => {
  const orders = [1, 2, 3, 1].map((seed) => {
    const { promised, next } = planItinerary(NAMES, seeded(seed), () => true);
    const came = NAMES.map(() => next());
    expect(came).toEqual(promised);
    expect(next()).toBeNull();
    return came.join("");
  });
  expect([...(orders[0] ?? "")].sort()).toEqual(NAMES);
  expect(orders[3]).toBe(orders[0]);
  expect(new Set(orders).size).toBeGreaterThan(1);
});

test("until it is over each comes again before any comes a third time", () => {
  let came = 0;
  const { next } = planItinerary(NAMES, seeded(4), () => came >= 12);
  const counts = new Map<string, number>();
  for (let name = next(); name; name = next()) {
    came++;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  expect(came).toBe(12);
  expect([...counts.values()].every((count) => count === 2 || count === 3)).toBe(true);
});

test("what was promised and did not happen is named", () => {
  const happened = new Map([
    ["a", 2],
    ["b", 0],
  ]);
  expect(brokenPromises(["a", "b", "c"], happened)).toEqual([
    '"b" was promised and did not happen',
    '"c" was promised and did not happen',
  ]);
  expect(brokenPromises(["a"], happened)).toEqual([]);
});
