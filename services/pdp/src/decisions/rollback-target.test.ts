import { expect, test } from "vitest";
import type { PastActivation } from "../policies/index.ts";
import { rollbackTarget } from "./rollback-target.ts";

type Past = Omit<PastActivation, "policy">;

const past = (...versions: (number | [back: number])[]): Past[] =>
  versions.map((one, at) => {
    const living = at === versions.length - 1;
    if (typeof one === "number") return { version: one, cause: "activated", living };
    return { version: one[0], cause: "rolled_back", living };
  });

const withdrawn = (history: readonly Past[]): Past[] => history.map((one) => ({ ...one, living: false }));

test("a policy goes back to what was in force before the version that is", () => {
  expect(rollbackTarget(past(1, 2))).toBe(1);
  expect(rollbackTarget(past(1, 2, 5, 3))).toBe(5);
});

test("the first version has nothing before it, nor has what was never in force", () => {
  expect(rollbackTarget(past(4))).toBeUndefined();
  expect(rollbackTarget([])).toBeUndefined();
});

test("going back twice goes back two versions, not back and forth", () => {
  expect(rollbackTarget(past(1, 2, 3, [2]))).toBe(1);
  expect(rollbackTarget(past(1, 2, 3, [2], [1]))).toBeUndefined();
  expect(rollbackTarget(past(1, 2, 3, [1]))).toBeUndefined();
});

test("what is activated after a way back is a step forward again", () => {
  expect(rollbackTarget(past(1, 2, [1], 4))).toBe(1);
  expect(rollbackTarget(past(1, 2, 1))).toBe(2);
});

test("of a policy that is not in force, the last version that was comes back", () => {
  expect(rollbackTarget(withdrawn(past(1, 2)))).toBe(2);
  expect(rollbackTarget(withdrawn(past(1, 2, [1])))).toBe(1);
});
