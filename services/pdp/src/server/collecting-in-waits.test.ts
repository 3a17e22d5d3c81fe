import { expect, test } from "vitest";
import { createCollectingInWaits } from "./collecting-in-waits.ts";

const MIB = 1024 * 1024;

/** A process that allocates between its waits. */
function allocating() {
  const state = { usedBytes: 100 * MIB, marking: false, collected: 0 };
  const onWait = createCollectingInWaits({
    usedBytes: () => state.usedBytes,
    isMarking: () => state.marking,
    collect: () => {
      state.collected++;
      state.usedBytes -= 2 * MIB;
    },
  });
  /** How often it was collected in a wait that comes after so much was allocated. */
  const waitAfter = (mib: number) => {
    const before = state.collected;
    state.usedBytes += mib * MIB;
    onWait();
    return state.collected - before;
  };
  return { state, waitAfter };
}

test("a wait is used once 3 MiB were allocated since the last collection", () => {
  const { waitAfter } = allocating();
  expect([2, 0.9, 0.1].map(waitAfter)).toEqual([0, 0, 1]);
  expect([2, 0.9, 5].map(waitAfter)).toEqual([0, 0, 1]);
  expect(waitAfter(0)).toBe(0);
});

test("what the machine collected by itself is not counted as if it were there", () => {
  const { waitAfter } = allocating();
  expect(waitAfter(2.5)).toBe(0);
  expect(waitAfter(-20)).toBe(0);
  expect([2.5, 0.5].map(waitAfter)).toEqual([0, 1]);
});

test("while everything is being collected nothing is asked for, and afterwards in the first wait", () => {
  const { waitAfter, state } = allocating();
  state.marking = true;
  expect([4, 4].map(waitAfter)).toEqual([0, 0]);
  state.marking = false;
  expect([0, 0].map(waitAfter)).toEqual([1, 0]);
});
