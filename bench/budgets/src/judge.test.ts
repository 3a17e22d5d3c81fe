import { expect, test } from "vitest";
import type { Comparison, SideResult } from "../../src/run/compare.ts";
import { judgeRace, judgeTimes, names } from "./judge.ts";

const side = (name: string, p99: number): SideResult => ({
  ...{ name, load: { kind: "closed", inFlight: 1 }, perSecond: 1, p50: p99, p90: p99, p99 },
  ...{ lateP99: 0, failedShare: 0, clientBusy: 0, coresBusy: [], runs: [] },
});

const comparison = (callers: number, ratios: readonly (readonly [to: string, perSecond: number])[]): Comparison => ({
  id: `stream-callers-${callers}`,
  title: "",
  sides: Object.values(names).map((name) => side(name, name === names.four ? 2_900 : 9_000)),
  ratios: ratios.flatMap(([to, perSecond]) => [
    { of: names.none, to, perSecond: 99, p50: 1, p99: 1 },
    { of: names.four, to, perSecond, p50: 1, p99: 1 },
  ]),
});

test("the target is held against the bare server, and told beside the service that locks per call", () => {
  const outcomes = judgeTimes([
    comparison(1, []),
    comparison(64, [
      [names.bare, 4.9],
      [names.locking, 8.2],
    ]),
  ]);
  expect(outcomes).toEqual([
    { target: "Decide, four budgets, alone: p99", bound: "< 3 ms", found: "2.90 ms", kept: true },
    {
      target: 'Decide, four budgets, most callers: calls/s / "bare locked rows"',
      ...{ bound: ">= 5 x", found: "4.90 x", kept: false },
    },
    {
      target: 'Decide, four budgets, most callers: calls/s / "Decide, locks per call"',
      ...{ bound: "-", found: "8.20 x", kept: undefined },
    },
  ]);
});

test("a race is right when all of the budget was spent, nothing over, and the records add up to the books", () => {
  const race = { limit: "9", callers: 3, allowed: 9, exhausted: 3, booked: "9 spent, 0 held", overspent: false };
  expect(judgeRace(names.locking, race, 0n)).toMatchObject({ kept: true });
  expect(judgeRace(names.locking, { ...race, overspent: true }, 0n)).toMatchObject({ kept: false });
  expect(judgeRace(names.locking, { ...race, allowed: 8 }, 0n)).toMatchObject({ kept: false });
  expect(judgeRace(names.locking, race, 1n)).toMatchObject({ kept: false });
});
