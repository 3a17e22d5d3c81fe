import type { BudgetDocument } from "../documents/budget.ts";
import { below, reporter } from "../documents/origin.ts";
import type { Problem } from "../documents/problem.ts";
import type { ToolDocument } from "../documents/tool.ts";

/** Whether a path that is redacted hides something of the value at another path, or all of it. `*` is any member. */
export function redactionHides(redacted: string, path: string): boolean {
  const below = path.split(".");
  return redacted.split(".").every((key, at) => at >= below.length || key === "*" || key === below[at]);
}

const sameList = (one: readonly string[] = [], other: readonly string[] = []) =>
  one.length === other.length && one.every((path, at) => path === other[at]);

const hides = (paths: Iterable<string>, path: string) => [...paths].some((one) => redactionHides(one, path));

/**
 * Warns of budgets whose accounts are kept by what a tool begins to redact, or is the last to: a value has other books from
 * then on, so that within one window it may spend the limit twice. `others`: all tools but this one; `before`: what it was.
 */
export function keysRedactedAnew(
  tool: ToolDocument,
  before: ToolDocument | undefined,
  others: readonly ToolDocument[],
  budgets: readonly BudgetDocument[],
): Problem[] {
  const problems: Problem[] = [];
  const { redact: now = [] } = tool.spec;
  const then = before?.spec.redact ?? [];
  // Almost every tool: nothing has to be compared.
  if (sameList(now, then)) return problems;
  const report = reporter(tool, `tool ${tool.metadata.name}`, problems);
  const elsewhere = new Set(others.flatMap(({ spec }) => spec.redact ?? []));
  const changes = new Map<string, boolean>();
  for (const path of new Set(budgets.flatMap(({ spec }) => spec.per ?? []))) {
    const is = hides(now, path);
    if (hides(then, path) !== is && !hides(elsewhere, path)) changes.set(path, is);
  }
  for (const { metadata, spec } of budgets) {
    for (const path of spec.per ?? []) {
      const is = changes.get(path);
      if (is === undefined) continue;
      const at = now.findIndex((one) => redactionHides(one, path));
      report(is ? below("/spec/redact", at) : "/spec", keyMessage(metadata.name, path, is), {
        ...{ code: "budget_key_redacted", severity: "warning" },
        expected: "this from the first call on; or lower the budget until its windows that are open close",
      });
    }
  }
  return problems;
}

function keyMessage(budget: string, path: string, is: boolean): string {
  const what = is ? `is redacted from now on` : `is redacted by no tool any more`;
  return (
    `budget \`${budget}\` keeps accounts by \`${path}\`, which ${what}: each value has other books, and may spend the limit ` +
    "once more in the windows that are open"
  );
}
