import fc from "fast-check";
import { expect, test } from "vitest";
import { finish, sortInSteps } from "./steps.ts";
import { wideMap } from "./wide-map.ts";

test("a list of any length is sorted, and equal items keep their order", () => {
  const items = fc.array(fc.record({ key: fc.nat(20), name: fc.nat() }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(items, fc.integer({ min: 1, max: 120 }), (some, times) => {
      const all = Array.from({ length: times }, () => some).flat();
      const compare = (one: { key: number }, other: { key: number }) => one.key - other.key;
      expect(finish(sortInSteps(all, compare))).toEqual([...all].sort(compare));
    }),
    { numRuns: 30 },
  );
});

test("sorting a long list stops after each few hundred items", () => {
  let steps = 0;
  const sorting = sortInSteps(
    Array.from({ length: 10_000 }, (_, at) => (at * 7919) % 10_007),
    (one, other) => one - other,
  );
  for (let step = sorting.next(); !step.done; step = sorting.next()) steps++;
  expect(steps).toBeGreaterThan(10_000 / 500);
});

test("a map in parts answers what a map does", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.nat())), fc.string(), (entries, other) => {
      const [wide, plain] = [wideMap<number>(), new Map<string, number>()];
      for (const [key, value] of entries) {
        wide.set(key, value);
        plain.set(key, value);
      }
      for (const key of [...plain.keys(), other]) expect(wide.get(key)).toBe(plain.get(key));
    }),
  );
});
