import { type Comparison, foreignWork, type SideResult } from "./compare.ts";

/** Rows under a head, in columns as wide as their widest cell; the first two columns stand left, the others right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => (column < 2 ? (row[column] ?? "").padEnd(width) : (row[column] ?? "").padStart(width)))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

export function ms(us: number): string {
  return (us / 1000).toFixed(us < 10_000 ? 2 : 1);
}

export function times(ratio: number): string {
  return `${ratio.toFixed(2)} x`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

export function rate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString("en-US");
}

const head = ["what", "subject", "calls/s", "p50 ms", "p90 ms", "p99 ms", "late p99", "client"];

function row(title: string, side: SideResult, counted: boolean): string[] {
  return [
    title,
    side.name,
    rate(side.perSecond),
    ms(side.p50),
    ms(side.p90),
    ms(side.p99),
    side.load.kind === "open" ? ms(side.lateP99) : "-",
    percent(side.clientBusy),
    ...(counted ? [side.rowsPerCommit?.toFixed(2) ?? "-"] : []),
    side.failedShare === 0 ? "-" : `${(side.failedShare * 100).toFixed(2)}%`,
  ];
}

const quietMax = 0.1;

/** One line on the company that the runs had. */
export function companyLine(comparisons: readonly Comparison[]): string {
  const { median, worst } = foreignWork(comparisons);
  const line = `other work kept the cores ${percent(median)} busy between the runs (at worst ${percent(worst)})`;
  return median <= quietMax ? line : `NOT QUIET: ${line}; these figures are not worth writing down`;
}

/**
 * The table of all comparisons: a line a side, and below them how they stand to the reference, or to each of several. What
 * one commit recorded is a column where it was counted.
 */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  const counted = comparisons.some(({ sides }) => sides.some(({ rowsPerCommit }) => rowsPerCommit !== undefined));
  const rows = comparisons.flatMap((comparison) => [
    ...comparison.sides.map((side, i) => row(i === 0 ? comparison.title : "", side, counted)),
    ...comparison.ratios.map((r) => ["", `  ${r.of} / ${r.to}`, times(r.perSecond), times(r.p50), "", times(r.p99)]),
  ]);
  return table([...head, ...(counted ? ["rows/commit"] : []), "failed"], rows);
}
