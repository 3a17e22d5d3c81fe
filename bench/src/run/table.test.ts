import { expect, test } from "vitest";
import type { RunResult } from "../load/spec.ts";
import { compared } from "./compare.ts";
import { comparisonTable, ms, rate, table, times } from "./table.ts";

const run = (perSecond: number, rows?: number): RunResult => ({
  ...{ answered: 1, good: 1, unsure: 0, failed: 0, failures: {}, unanswered: 0, perSecond, problems: {} },
  latencyUs: { count: 1, mean: 1, p50: 1, p90: 1, p99: 1, p999: 1, max: 1 },
  lateUs: { count: 1, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 },
  ...{ clientBusy: 0, coresBusy: [], foreignBusy: 0, ...(rows !== undefined && { rowsPerCommit: rows }) },
});

const side = (name: string, ...runs: RunResult[]) => ({ name, load: { kind: "closed", inFlight: 1 } as const, runs });

test("columns are as wide as their widest cell, figures stand right", () => {
  expect(
    table(
      ["what", "who", "n"],
      [
        ["echo", "a", "1"],
        ["", "decide", "1,000"],
      ],
    ).split("\n"),
  ).toEqual(["what  who         n", "----  ------  -----", "echo  a           1", "      decide  1,000"]);
});

test("figures read well", () => {
  expect([ms(412), ms(12_345), rate(19_400.4), times(0.5)]).toEqual(["0.41", "12.3", "19,400", "0.50 x"]);
});

test("sides are compared with each reference, and a reference with those before it", () => {
  const sides = [side("bare", run(100)), side("locking", run(50)), side("four", run(400))];
  const ratiosOf = (references?: number) =>
    compared("id", "title", sides, references).ratios.map(({ of, to, perSecond }) => [of, to, perSecond]);
  expect(ratiosOf(2)).toEqual([
    ["locking", "bare", 0.5],
    ["four", "bare", 4],
    ["four", "locking", 8],
  ]);
  expect(ratiosOf()).toEqual([
    ["locking", "bare", 0.5],
    ["four", "bare", 4],
  ]);
});

test("rows a commit are a column where they were counted, and none of whoever counts none", () => {
  const counted = comparisonTable([
    compared("id", "title", [side("bare", run(1), run(1), run(1)), side("four", run(1, 2), run(1, 9), run(1, 8))]),
  ]);
  const cells = counted.split("\n").map((line) => line.split(/ {2,}/));
  const column = cells[0]?.indexOf("rows/commit");
  expect([cells[2], cells[3]].map((row) => row?.[column ?? -1])).toEqual(["-", "8.00"]);
  expect(comparisonTable([compared("id", "title", [side("bare", run(1))])])).not.toContain("rows/commit");
});
