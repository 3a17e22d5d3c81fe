import fc from "fast-check";
import { expect, test } from "vitest";
import { eachInSlices, mapInSlices, sortedInSlices } from "./in-slices.ts";

const nobody = async () => {};

test("any texts are sorted as sort has them", async () => {
  const texts = fc.array(fc.string({ unit: "binary" }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(texts, fc.nat(100), async (some, times) => {
      const all = Array.from({ length: times }, (_, at) => some.map((text) => `${text}${at % 7}`)).flat();
      expect(await sortedInSlices(all, nobody)).toEqual([...all].sort());
    }),
    { numRuns: 50 },
  );
});

test("every item is met once and in order, with a pause after each so many", async () => {
  const met: (number | string)[] = [];
  await eachInSlices(
    [1, 2, 3, 4, 5],
    async () => void met.push("pause"),
    (item) => met.push(item),
    2,
  );
  expect(met).toEqual([1, 2, "pause", 3, 4, "pause", 5]);
  expect(await mapInSlices(new Set([1, 2]), nobody, (item) => item * 2)).toEqual([2, 4]);
});
