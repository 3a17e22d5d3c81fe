import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addLabelled, eachLabelled, type Label, newLabelIndex, rarestFirst } from "./label-index.ts";
import { finish } from "./steps.ts";

const labels = fc.dictionary(
  fc.constantFrom("team", "env", "tier", "toString", "__proto__"),
  fc.constantFrom("1", "2", ""),
  {
    maxKeys: 4,
    noNullPrototype: true,
  },
);

describe("items by labels", () => {
  it("are met by whoever carries all of theirs, each once, whatever else is carried", () => {
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 20 }), labels, (wanted, carried) => {
        const lists = wanted.map((one) => Object.entries(one));
        const index = newLabelIndex<number>();
        for (const [at, list] of finish(rarestFirst(lists)).entries()) addLabelled(index, list, at);
        const met = [...index.everyones];
        eachLabelled(index, carried, (at) => void met.push(at));
        const meant = lists.flatMap((list, at) =>
          list.every(([name, value]) => Object.hasOwn(carried, name) && carried[name] === value) ? [at] : [],
        );
        expect(met.sort((one, other) => one - other)).toEqual(meant);
      }),
      { numRuns: 500 },
    );
  });

  it("are found by the label that the fewest have", () => {
    const lists: Label[][] = [1, 2, 3].map((team) => [
      ["env", "prod"],
      ["team", `${team}`],
    ]);
    for (const list of finish(rarestFirst(lists))) expect(list.map(([name]) => name)).toEqual(["team", "env"]);
  });
});
