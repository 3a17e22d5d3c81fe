import type { Steps } from "../compile/steps.ts";
import type { BudgetDocument } from "../documents/budget.ts";
import { reporter } from "../documents/origin.ts";
import type { Problem } from "../documents/problem.ts";
import type { ToolDocument } from "../documents/tool.ts";
import { redactedPaths } from "./redacted-paths.ts";

const sameList = (one: readonly string[] = [], other: readonly string[] = []) =>
  one.length === other.length && one.every((path, at) => path === other[at]);

// What a tool's paths, a tool without any, and a budget's come to.
const PATH_COST = 0.2;
const LOOK_COST = 0.02;

/**
 * Warns of budgets whose accounts are kept by what a tool is the last to redact: their keys hold marks, from which no value is
 * read, so that a value has other books from then on and may spend the limit twice within one window. Where a tool begins to,
 * the books that are open are found. `others`: all tools but this one; `before`: what it was.
 */
export function* keysRedactedNoMore(
  tool: ToolDocument,
  before: ToolDocument | undefined,
  others: Iterable<ToolDocument>,
  budgets: Iterable<BudgetDocument>,
): Steps<Problem[]> {
  const problems: Problem[] = [];
  const { redact: now = [] } = tool.spec;
  const then = before?.spec.redact ?? [];
  // Almost every tool: nothing has to be compared.
  if (then.length === 0 || sameList(now, then)) return problems;
  const report = reporter(tool, `tool ${tool.metadata.name}`, problems);
  const [was, still] = [redactedPaths(then), redactedPaths(now)];
  for (const { spec } of others) {
    const { redact = [] } = spec;
    for (const path of redact) still.add(path);
    yield LOOK_COST + redact.length * PATH_COST;
  }
  for (const { metadata, spec } of budgets) {
    const { per = [] } = spec;
    for (const path of per.filter((one) => was.hide(one) && !still.hide(one))) {
      report("/spec", keyMessage(metadata.name, path), {
        ...{ code: "budget_key_redacted", severity: "warning" },
        expected: "this while nothing is spent of it; or lower the budget until its windows that are open close",
      });
    }
    yield LOOK_COST + per.length * PATH_COST;
  }
  return problems;
}

function keyMessage(budget: string, path: string): string {
  return (
    `budget \`${budget}\` keeps accounts by \`${path}\`, which is redacted by no tool any more: each value has other books, ` +
    "and may spend the limit once more in the windows that are open"
  );
}
