import type { Explanation } from "@remit/engine";
import { expect, test } from "vitest";
import { listedRules } from "./listed-rules.ts";

type Considered = Explanation["considered"][number];

const considered = (...results: Considered["result"][]): Considered[] =>
  results.map((result, at) => ({
    ...{ rule: { policy: "p", version: 1, rule: `r${at}` }, effect: "allow", mode: "enforce" },
    ...{ result, why: "", conditions: [], settings: [] },
  }));
const skipped = { otherAgents: 1, otherTools: 2, notReached: 0 };
const ids = (rules: readonly Considered[]) => rules.map(({ rule }) => rule.rule);

test("where there is room for all, all are listed as they were judged", () => {
  const all = considered("false", "true", "unknown");
  expect(listedRules({ considered: all, skipped }, 3)).toEqual({ considered: all, skipped });
});

test("those that matched are listed first, then the unknown, in the order of judging; the rest is counted", () => {
  const all = considered("false", "unknown", "true", "false", "unknown", "true");
  const listed = (most: number) => listedRules({ considered: all, skipped }, most);
  expect(ids(listed(1).considered)).toEqual(["r2"]);
  expect(ids(listed(3).considered)).toEqual(["r1", "r2", "r5"]);
  expect(ids(listed(5).considered)).toEqual(["r0", "r1", "r2", "r4", "r5"]);
  expect(listed(5).skipped).toEqual({ ...skipped, notListed: 1 });
  expect(listed(1).skipped).toEqual({ ...skipped, notListed: 5 });
});
