/** The middle value; the mean of the two middle ones when their number is even. Throws on an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error("no median of nothing");
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}

/**
 * `values[i] / references[i]` of runs that stood side by side, and the median of these ratios. The ratio of a pair is
 * taken before the median: a pair shares its minute of the machine, two medians do not.
 */
export function pairedRatio(
  values: readonly number[],
  references: readonly number[],
): { median: number; each: number[] } {
  if (values.length !== references.length) throw new Error("runs that are compared come in pairs");
  const each = values.map((value, i) => value / (references[i] ?? Number.NaN));
  return { median: median(each), each };
}

export type Bound = { readonly atLeast: number } | { readonly atMost: number };

/** Whether a figure keeps its bound; a figure that is not a number never does. */
export function keeps(bound: Bound, figure: number): boolean {
  return "atLeast" in bound ? figure >= bound.atLeast : figure <= bound.atMost;
}
