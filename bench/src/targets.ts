import { type Bound, keeps } from "./load/statistics.ts";
import type { Comparison, RatioResult, SideResult } from "./run/compare.ts";
import { table } from "./run/table.ts";

/** A target of this run, what was found, and whether it was kept. */
export interface Outcome {
  readonly target: string;
  readonly bound: string;
  readonly found: string;
  /** Undefined where it is told and not judged. */
  readonly kept: boolean | undefined;
}

const msMax = 3;

/**
 * The targets for Decide, recorded before answered, against the echo of the same run. A target whose measurement was
 * left out is left out too.
 */
export function judge(comparisons: readonly Comparison[]): Outcome[] {
  const of = (id: string) => comparisons.find((comparison) => comparison.id === id);
  return [
    ...latency("unary, 1 in flight", of("unary-alone")),
    ...latency("stream, 1 in flight", of("stream-alone")),
    ...latency("stream, open loop at 2,000/s", of("stream-steady")),
    ...ratio("unary, 1 in flight: p50 / echo's", { atMost: 4 }, of("unary-alone"), ({ p50 }) => p50),
    ...ratio("stream, 1 in flight: p50 / echo's", { atMost: 4 }, of("stream-alone"), ({ p50 }) => p50),
    ...ratio("unary, half of own maximum: p99 / echo's", { atMost: 2.5 }, of("unary-half"), ({ p99 }) => p99),
    ...ratio("stream, half of own maximum: p99 / echo's", { atMost: 2.5 }, of("stream-half"), ({ p99 }) => p99),
    ...throughput("unary", { atLeast: 0.5 }, comparisons),
    ...throughput("stream", { atLeast: 0.3 }, comparisons),
  ];
}

function latency(what: string, comparison: Comparison | undefined): Outcome[] {
  const [echo, decide] = comparison?.sides ?? [];
  if (echo === undefined || decide === undefined) return [];
  const found = `${(decide.p99 / 1000).toFixed(2)} ms (echo ${(echo.p99 / 1000).toFixed(2)} ms)`;
  return [{ target: `${what}: p99`, bound: `< ${msMax} ms`, found, kept: decide.p99 < msMax * 1000 }];
}

function ratio(
  target: string,
  bound: Bound,
  comparison: Comparison | undefined,
  figure: (ratio: RatioResult) => number,
): Outcome[] {
  const first = comparison?.ratios[0];
  return first === undefined ? [] : [outcome(target, bound, figure(first))];
}

/** The most of either side, whichever number in flight it took. */
function throughput(lane: string, bound: Bound, comparisons: readonly Comparison[]): Outcome[] {
  const closed = comparisons.filter(({ id }) => id.startsWith(`${lane}-closed-`));
  const most = (side: number) => Math.max(...closed.map(({ sides }) => perSecond(sides[side])));
  if (closed.length === 0 || closed.some(({ sides }) => sides.length < 2)) return [];
  return [outcome(`${lane}, closed loop: calls/s / echo's`, bound, most(1) / most(0))];
}

function perSecond(side: SideResult | undefined): number {
  return side?.perSecond ?? Number.NaN;
}

/** A figure held against its bound. */
export function outcome(target: string, bound: Bound, figure: number): Outcome {
  const text = "atLeast" in bound ? `>= ${bound.atLeast} x` : `<= ${bound.atMost} x`;
  return { target, bound: text, found: `${figure.toFixed(2)} x`, kept: keeps(bound, figure) };
}

export function outcomeTable(outcomes: readonly Outcome[]): string {
  const word = ({ kept }: Outcome) => (kept === undefined ? "told" : kept ? "kept" : "MISSED");
  const rows = outcomes.map((one) => [one.target, word(one), one.bound, one.found]);
  return table(["target", "", "bound", "found"], rows);
}
