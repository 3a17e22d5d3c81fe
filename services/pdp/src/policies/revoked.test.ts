import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRevoked, isHalted, type Revocable, revokedFrom, sameRevoked } from "./revoked.ts";
import type { MatchLabels } from "./settings.ts";

const halt = (labels: MatchLabels): Revocable => ({ kind: "labels", subject: JSON.stringify(labels), labels });
const labels = fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__", "toString"), fc.constantFrom("1", "2", ""));

describe("a halt by labels", () => {
  test("is of whoever carries all of its labels, on the agent or on the session, and of nobody else", () => {
    const halts = fc.array(
      labels.filter((one) => Object.keys(one).length > 0),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(halts, labels, labels, (selectors, ofAgent, ofSession) => {
        const expected = selectors.some((selector) =>
          Object.entries(selector).every(([name, value]) =>
            [ofAgent, ofSession].some((own) => Object.hasOwn(own, name) && own[name] === value),
          ),
        );
        expect(isHalted(revokedFrom(selectors.map(halt)), ofAgent, ofSession)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test("without labels is of nobody: what would be of everything is said to be", () => {
    expect(isHalted(revokedFrom([halt({})]), { a: "1" }, {})).toBe(false);
    expect(isHalted(revokedFrom([{ kind: "tenant", subject: "", labels: {} }]), {}, {})).toBe(true);
  });
});

test("what is revoked is told apart from another, and counted", () => {
  const [mia, bob] = ["mia", "bob"].map((subject): Revocable => ({ kind: "principal", subject, labels: {} }));
  if (!mia || !bob) throw new Error("nobody");
  expect(sameRevoked(revokedFrom([]), revokedFrom([]))).toBe(true);
  expect(sameRevoked(revokedFrom([mia, bob]), revokedFrom([bob, mia]))).toBe(true);
  expect(sameRevoked(revokedFrom([mia]), revokedFrom([bob]))).toBe(false);
  expect(sameRevoked(revokedFrom([mia]), revokedFrom([{ ...mia, kind: "agent" }]))).toBe(false);
  // What is not sure is another.
  expect(sameRevoked(revokedFrom([halt({ a: "1" })]), revokedFrom([halt({ a: "1" })]))).toBe(false);
  const all = [revokedFrom([mia, bob, halt({ a: "1" })]), revokedFrom([{ kind: "tenant", subject: "", labels: {} }])];
  expect(countRevoked(all)).toEqual({ revocations: 2, halts: 2 });
});
