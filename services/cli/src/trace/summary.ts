import { counted } from "../counted.ts";
import { effectWords, paintEffect } from "../effects.ts";
import type { Paint } from "../paint.ts";
import { table } from "../table.ts";
import type { Latency } from "./latency.ts";
import type { Counts, Example, Tally } from "./tally.ts";

/** What `trace-run` found, as `--json` prints it and as people read it. */
export interface TraceResult {
  readonly tally: Tally;
  readonly latency: Latency;
  readonly runs: number;
  readonly seconds: number;
}

export const REPLAY_NOTE =
  "These are calls replayed, not a model run again: a stopped call would have changed what the model did next.";

const titles = {
  allow: "ALLOWED",
  transform: "TRANSFORMED",
  escalate: "ESCALATED",
  clarify: "CLARIFIED",
  deny: "DENIED",
};

function countsTable(title: string, counts: ReadonlyMap<string, Counts>, withErrors: boolean): string[] {
  const outcomes = withErrors ? ([...effectWords, "error"] as const) : effectWords;
  const heads = outcomes.map((outcome) => ({
    title: outcome === "error" ? "NOT DECIDED" : titles[outcome],
    right: true,
  }));
  const sum = (row: Counts) => outcomes.reduce((total, outcome) => total + row[outcome], 0);
  const rows = [...counts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, row]) => [
      name,
      String(sum(row)),
      ...outcomes.map((outcome) => (row[outcome] === 0 ? "·" : `${row[outcome]}`)),
    ]);
  return table([{ title }, { title: "CALLS", right: true }, ...heads], rows);
}

function exampleLines(example: Example, paint: Paint): string[] {
  const { line, run, step, tool, effect, code, rules, message } = example;
  const word = effect === "error" ? paint.red("not decided") : paintEffect(paint, effect);
  const by = rules.length === 0 ? code : rules.join(", ");
  return [`  line ${line}  run ${run}  step ${step}  ${tool}  ${word}  ${paint.dim(by)}`, `      ${message}`];
}

function totals({ tally, runs, seconds }: TraceResult): string {
  const { calls, total } = tally;
  const parts = effectWords
    .filter((word) => total[word] > 0)
    .map((word) => `${total[word]} ${titles[word].toLowerCase()}`);
  if (total.error > 0) parts.push(`${total.error} not decided`);
  const rate = seconds > 0 ? `${Math.round(calls / seconds)} a second` : "";
  return `${counted(calls, "call")} of ${counted(runs, "run")} in ${seconds.toFixed(1)} s (${rate}): ${parts.join(", ")}`;
}

/** What breakers stopped, in nobody's count but theirs. */
function stoppedLines({ tally: { stopped } }: TraceResult): string[] {
  if (stopped.size === 0) return [];
  const sum = [...stopped.values()].reduce((total, count) => total + count, 0);
  const each = [...stopped].map(([what, count]) => `${what} ${count}`);
  return [`breakers stopped ${counted(sum, "call")} besides: ${each.join(", ")}`];
}

/** What is only observed says what it would have done. */
function observedLines({ tally: { would } }: TraceResult): string[] {
  const words = effectWords.filter((word) => would[word] > 0);
  if (words.length === 0) return [];
  return [
    `observed, not enforced: ${words.map((word) => `${would[word]} would be ${titles[word].toLowerCase()}`).join(", ")}`,
  ];
}

/** The tables, the first examples and the percentiles, for a person. */
export function summaryLines(result: TraceResult, paint: Paint): string[] {
  const { tally, latency } = result;
  const withErrors = tally.total.error > 0;
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  const lines = [
    paint.bold("By tool"),
    ...countsTable("TOOL", tally.byTool, withErrors),
    "",
    paint.bold("By rule"),
    ...countsTable("RULE", tally.byRule, withErrors),
    "",
  ];
  if (tally.examples.length > 0) {
    lines.push(paint.bold("First examples"), ...tally.examples.flatMap((example) => exampleLines(example, paint)), "");
  }
  lines.push(
    paint.bold(totals(result)),
    ...stoppedLines(result),
    ...observedLines(result),
    `decided and recorded in p50 ${ms(latency.p50)}, p90 ${ms(latency.p90)}, p99 ${ms(latency.p99)}, max ${ms(latency.max)}`,
    paint.dim(REPLAY_NOTE),
  );
  return lines;
}

/** The same for machines. */
export function summaryJson({ tally, latency, runs, seconds }: TraceResult): unknown {
  const { calls, total, stopped, would, byTool, byRule, examples } = tally;
  return {
    calls,
    runs,
    seconds,
    total,
    stopped: Object.fromEntries(stopped),
    would,
    by_tool: Object.fromEntries(byTool),
    by_rule: Object.fromEntries(byRule),
    examples,
    latency_ms: latency,
    note: REPLAY_NOTE,
  };
}
