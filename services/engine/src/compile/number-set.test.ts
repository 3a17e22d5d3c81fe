import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bitsFor,
  emptySet,
  type GrowingSet,
  grownUp,
  hashOfNumbers,
  meet,
  type NumberSet,
  nextOf,
  noNumber,
  sameNumbers,
  setBit,
  setOfBits,
  setOfList,
  withNumber,
} from "./number-set.ts";

const count = 200;
const numbers = fc
  .uniqueArray(fc.nat(count - 1), { maxLength: count, size: "max" })
  .map((list) => list.sort((one, other) => one - other));

function marked(list: readonly number[]): NumberSet {
  const bits = bitsFor(count);
  for (const number of list) setBit(bits, number);
  return setOfBits(bits, list.length);
}

function walked(set: NumberSet): number[] {
  const found: number[] = [];
  for (let number = nextOf(set, 0); number !== noNumber; number = nextOf(set, number + 1)) found.push(number);
  return found;
}

describe("a set of numbers", () => {
  it("is walked in order, whether it was made of bits or of a list, few or many", () => {
    fc.assert(
      fc.property(numbers, (list) => {
        expect(walked(marked(list))).toEqual(list);
        expect(walked(setOfList(list, count))).toEqual(list);
      }),
    );
  });

  it("grows by one number after the other, past a few in bits, and none that was empty is written to", () => {
    fc.assert(
      fc.property(numbers, (list) => {
        let set: GrowingSet = emptySet;
        for (const number of list) set = withNumber(set, number, count);
        expect(walked(set)).toEqual(list);
        expect("bits" in set).toBe(list.length > 16);
        expect(walked(emptySet)).toEqual([]);
      }),
    );
  });

  it("is a list again once it has grown up, where that takes no more room than bits", () => {
    const many = 40 * count;
    fc.assert(
      fc.property(numbers, (list) => {
        let set: GrowingSet = emptySet;
        for (const number of list) set = withNumber(set, 40 * number, many);
        const grown = grownUp(set, list.length);
        expect(walked(grown)).toEqual(list.map((number) => 40 * number));
        expect("bits" in grown).toBe(false);
        expect(walked(grownUp(set, many))).toEqual(walked(grown));
      }),
    );
  });

  it("finds the first number from another on", () => {
    fc.assert(
      fc.property(numbers, fc.nat(count + 50), (list, from) => {
        expect(nextOf(marked(list), from)).toBe(list.find((number) => number >= from) ?? noNumber);
      }),
    );
  });

  it("meets a set that has a number of its own, in whatever form both are", () => {
    fc.assert(
      fc.property(numbers, numbers, (one, other) => {
        const common = one.some((number) => other.includes(number));
        for (const mine of [marked(one), setOfList(one, count)])
          for (const its of [marked(other), setOfList(other, count)]) expect(meet(mine, its)).toBe(common);
      }),
    );
  });

  it("equals a set of the same numbers and no other, and has its hash", () => {
    fc.assert(
      fc.property(numbers, numbers, (one, other) => {
        expect(sameNumbers(marked(one), marked([...one]))).toBe(true);
        expect(hashOfNumbers(marked(one))).toBe(hashOfNumbers(marked([...one])));
        expect(sameNumbers(marked(one), marked(other))).toBe(one.join() === other.join());
      }),
    );
  });

  it("takes no more than a bit for each number there may be", () => {
    const all = marked(Array.from({ length: count }, (_, number) => number));
    const few = marked([3, 77]);
    const bytes = (set: NumberSet) => ("bits" in set ? set.bits : (set.list as Uint32Array)).byteLength;
    expect(bytes(all)).toBeLessThanOrEqual(Math.ceil(count / 32) * 4);
    expect(bytes(few)).toBe(8);
  });
});
