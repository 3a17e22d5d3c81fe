import { compileGlobs } from "@remit/engine";
import fc from "fast-check";
import { expect, test } from "vitest";
import { comparedWith, isBoundTo } from "./bound-agents.ts";

const pieces = fc.array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 5 });
const glob = pieces.map((parts) => parts.join(""));

test("a list answers what its globs do, asked before in slices or not, however often", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(glob, { maxLength: 5 }),
      fc.array(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 5 }), { maxLength: 5 }),
      fc.integer({ min: 0, max: 500 }),
      async (globs, names, many) => {
        const list = [...Array.from({ length: many }, (_, at) => `no-${at}`), ...globs];
        await comparedWith(list, names, async () => {});
        const expected = names.map(compileGlobs(list));
        for (const _ of [1, 2]) expect(names.map((name) => isBoundTo(list, name))).toEqual(expected);
      },
    ),
  );
});

test("a short list is compared at once, a long one in slices, and nothing twice", async () => {
  const none = async () => {};
  expect(comparedWith(["a*"], ["a"], none)).toBeUndefined();
  const list = Array.from({ length: 2_000 }, (_, at) => `agent-${at}-*`);
  let pauses = 0;
  const pause = async () => {
    pauses++;
  };
  await comparedWith(list, ["agent-1999-x", "other"], pause);
  expect(pauses).toBeGreaterThan(15);
  expect(comparedWith(list, ["agent-1999-x", "other"], none)).toBeUndefined();
  expect(["agent-1999-x", "other"].map((name) => isBoundTo(list, name))).toEqual([true, false]);
});
