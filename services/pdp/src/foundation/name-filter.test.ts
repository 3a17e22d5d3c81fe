import fc from "fast-check";
import { expect, test } from "vitest";
import { createNameFilter } from "./name-filter.ts";

test("says of every name that was added that it may be there, and counts none twice", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 4 })), fc.integer({ min: 1, max: 40 }), (names, max) => {
      const filter = createNameFilter(max);
      for (const name of [...names, ...names]) filter.add(name);
      expect(names.filter((name) => !filter.mayHave(name))).toEqual([]);
      expect(filter.size).toBeLessThanOrEqual(new Set(names).size);
    }),
  );
});

test("knows most names that were not added apart from as many as it is for", () => {
  const filter = createNameFilter(20_000);
  expect([filter.size, filter.mayHave("session-0")]).toEqual([0, false]);
  for (let at = 0; at < 20_000; at++) filter.add(`session-${at}`);
  const mistaken = Array.from({ length: 20_000 }, (_, at) => `other-${at}`).filter(filter.mayHave);
  expect(mistaken.length).toBeLessThan(2_000);
  expect(filter.size).toBeGreaterThan(18_000);
});
