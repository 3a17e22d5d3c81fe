import { alternating } from "../load/schedule.ts";
import type { Load, LoadResult, RunResult } from "../load/spec.ts";
import { median, pairedRatio } from "../load/statistics.ts";

/** One of the things compared, and how one short run of it is made. */
export interface Side {
  readonly name: string;
  readonly load: Load;
  run(): Promise<RunResult>;
}

/** Medians over a side's runs. Latency in microseconds. */
export interface SideResult {
  readonly name: string;
  readonly load: Load;
  readonly perSecond: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly lateP99: number;
  /** Of all counted calls: those refused, cut off or not answered. */
  readonly failedShare: number;
  readonly clientBusy: number;
  readonly coresBusy: readonly number[];
  readonly rowsPerCommit?: number;
  readonly runs: readonly RunResult[];
}

/** A later side's figures over those of a side that it is compared with, pair by pair. */
export interface RatioResult {
  readonly of: string;
  readonly to: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Comparison {
  readonly id: string;
  readonly title: string;
  readonly sides: readonly SideResult[];
  readonly ratios: readonly RatioResult[];
}

/** Runs the sides in alternating order, `rounds` times. The first side is the reference. */
export async function compare(id: string, title: string, sides: readonly Side[], rounds: number): Promise<Comparison> {
  const runs = sides.map((): RunResult[] => []);
  for (const round of alternating([...sides.entries()], rounds))
    for (const [i, side] of round) runs[i]?.push(await side.run());
  return compared(
    id,
    title,
    sides.map((side, i) => ({ ...side, runs: runs[i] ?? [] })),
  );
}

/** The same of runs that were made before, as many of each side. The first `references` sides are references. */
export function compared(
  id: string,
  title: string,
  sides: readonly (Omit<Side, "run"> & { readonly runs: readonly RunResult[] })[],
  references = 1,
): Comparison {
  const results = sides.map((side) => summarise(side, side.runs));
  const ratios = results
    .slice(0, references)
    .flatMap((reference, at) => results.slice(at + 1).map((other) => ratio(other, reference)));
  return { id, title, sides: results, ratios };
}

function summarise(side: Omit<Side, "run">, runs: readonly RunResult[]): SideResult {
  const of = (figure: (run: RunResult) => number) => median(runs.map(figure));
  const rows = runs.flatMap(({ rowsPerCommit }) => rowsPerCommit ?? []);
  return {
    name: side.name,
    load: side.load,
    perSecond: of((run) => run.perSecond),
    p50: of((run) => run.latencyUs.p50),
    p90: of((run) => run.latencyUs.p90),
    p99: of((run) => run.latencyUs.p99),
    lateP99: of((run) => run.lateUs.p99),
    failedShare: of(failedShare),
    clientBusy: of((run) => run.clientBusy),
    coresBusy: (runs[0]?.coresBusy ?? []).map((_, core) => of((run) => run.coresBusy[core] ?? 0)),
    ...(rows.length > 0 && { rowsPerCommit: median(rows) }),
    runs,
  };
}

/** The share of a run's counted calls that got no good answer. */
export function failedShare({ answered, failed, unanswered }: LoadResult): number {
  return (failed + unanswered) / Math.max(1, answered + failed + unanswered);
}

/** How busy other work kept the cores before the runs of these comparisons: the middle and the worst, 0 to 1. */
export function foreignWork(comparisons: readonly Comparison[]): { median: number; worst: number } {
  const shares = comparisons.flatMap(({ sides }) => sides.flatMap(({ runs }) => runs.map((run) => run.foreignBusy)));
  return { median: median(shares), worst: Math.max(...shares) };
}

function ratio(side: SideResult, reference: SideResult): RatioResult {
  const paired = (figure: (run: RunResult) => number) =>
    pairedRatio(side.runs.map(figure), reference.runs.map(figure)).median;
  return {
    of: side.name,
    to: reference.name,
    perSecond: paired((run) => run.perSecond),
    p50: paired((run) => run.latencyUs.p50),
    p99: paired((run) => run.latencyUs.p99),
  };
}
