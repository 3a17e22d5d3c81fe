import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addLabelled, eachLabelled, type Label, type Labels, newLabelIndex, numberLabels } from "./label-index.ts";
import { finish } from "./steps.ts";

const labels = fc.dictionary(
  fc.constantFrom("team", "env", "tier", "toString", "__proto__"),
  fc.constantFrom("1", "2", ""),
  {
    maxKeys: 4,
    noNullPrototype: true,
  },
);

/** Items by lists of labels, and who meets which of them. */
function indexOf(lists: readonly (readonly Label[])[]) {
  const numbers = finish(numberLabels(lists));
  const index = newLabelIndex<number>();
  for (const [at, wanted] of numbers.wanted.entries()) addLabelled(index, wanted, at);
  const metBy = (carried: Labels) => {
    const met = [...index.everyones];
    eachLabelled(index, numbers, carried, (at) => void met.push(at));
    return met.sort((one, other) => one - other);
  };
  return { index, metBy };
}

const metOf = (lists: readonly (readonly Label[])[], carried: Labels) =>
  lists.flatMap((list, at) =>
    list.every(([name, value]) => Object.hasOwn(carried, name) && carried[name] === value) ? [at] : [],
  );

describe("items by labels", () => {
  it("are met by whoever carries all of theirs, each once, whatever else is carried and whoever came before", () => {
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 20 }), fc.array(labels, { maxLength: 4 }), (wanted, agents) => {
        const lists = wanted.map((one) => Object.entries(one));
        const { metBy } = indexOf(lists);
        for (const carried of agents) expect(metBy(carried)).toEqual(metOf(lists, carried));
      }),
      { numRuns: 500 },
    );
  });

  it("are told apart by more labels than a word has bits", () => {
    const name = (at: number) => `l${at}`;
    const all = Array.from({ length: 100 }, (_, at) => at);
    const lists = all.map((without) => all.filter((at) => at !== without).map((at): Label => [name(at), "x"]));
    const { metBy } = indexOf(lists);
    for (const lacking of [0, 31, 32, 63, 64, 99]) {
      const carried = Object.fromEntries(all.filter((at) => at !== lacking).map((at) => [name(at), "x"]));
      expect(metBy(carried)).toEqual([lacking]);
    }
    expect(metBy(Object.fromEntries(all.map((at) => [name(at), "x"])))).toEqual(all);
  });

  it("are found by the label that the fewest have", () => {
    const teams = [1, 2, 3].map((team): Label[] => [
      ["env", "prod"],
      ["team", `${team}`],
    ]);
    const { index } = indexOf(teams);
    expect([...(index.labelled?.values() ?? [])].map((found) => found.length)).toEqual([1, 1, 1]);
  });
});
