import { keeps } from "../../src/load/statistics.ts";
import type { Comparison } from "../../src/run/compare.ts";
import { times } from "../../src/run/table.ts";
import type { Outcome } from "../../src/targets.ts";
import type { LastUnit } from "./last-unit.ts";

/** Who is compared. The first two are what the others are compared with. */
export const names = {
  bare: "bare locked rows",
  locking: "Decide, locks per call",
  none: "Decide, no budget",
  four: "Decide, four budgets",
} as const;

export type SubjectName = (typeof names)[keyof typeof names];

const aloneP99MsMax = 3;
const throughputTimesMin = 5;

function alone(comparison: Comparison | undefined): Outcome[] {
  const four = comparison?.sides.find(({ name }) => name === names.four);
  if (!four) return [];
  const found = `${(four.p99 / 1000).toFixed(2)} ms`;
  const kept = four.p99 < aloneP99MsMax * 1000;
  return [{ target: `${names.four}, alone: p99`, bound: `< ${aloneP99MsMax} ms`, found, kept }];
}

/** The target is held against the bare server; beside the service that locks per call the same ratio is told. */
function most(comparison: Comparison | undefined, to: SubjectName, judged: boolean): Outcome[] {
  const ratio = comparison?.ratios.find((one) => one.of === names.four && one.to === to);
  if (!ratio) return [];
  const bound = { atLeast: throughputTimesMin };
  const kept = judged ? keeps(bound, ratio.perSecond) : undefined;
  const target = `${names.four}, most callers: calls/s / "${to}"`;
  return [{ target, bound: judged ? `>= ${throughputTimesMin} x` : "-", found: times(ratio.perSecond), kept }];
}

/** Of the comparisons the last with one caller and the last of all are judged: the last lane is that of the SDK. */
export function judgeTimes(comparisons: readonly Comparison[]): Outcome[] {
  const last = comparisons.at(-1);
  return [
    ...alone(comparisons.findLast(({ id }) => id.endsWith("-callers-1"))),
    ...most(last, names.bare, true),
    ...most(last, names.locking, false),
  ];
}

/** `differences`: between accounts and the sums of their records. */
export function judgeRace(name: SubjectName, race: LastUnit, differences: bigint): Outcome {
  const { limit, callers, allowed, booked, overspent } = race;
  const found = `${allowed} of ${limit} allowed; ${booked}; ${differences} differences from the records`;
  const kept = !overspent && allowed === Number(limit) && differences === 0n;
  return { target: `${name}: ${callers} callers race for one budget`, bound: "all of it, none over", found, kept };
}
