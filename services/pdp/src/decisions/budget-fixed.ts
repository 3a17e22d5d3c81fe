import type { BudgetDocument } from "@remit/engine";
import { type Canonicalisable, canonical } from "../foundation/canonical.ts";
import { digest } from "../foundation/digest.ts";
import { invalid } from "../foundation/fault.ts";

/** What of a budget says which books it has, as its author may have left it out. */
const FIXED = {
  unit: ({ unit }) => unit,
  window: ({ window }) => window,
  timeZone: ({ timeZone = "UTC" }) => timeZone,
  owner: ({ owner }) => owner,
  per: ({ per = [] }) => per,
} satisfies Readonly<Record<string, (spec: BudgetDocument["spec"]) => Canonicalisable>>;

const known = new WeakMap<BudgetDocument, string>();

/**
 * Says which books a budget has: a digest of what is fixed of it. A budget of the same name that was declared after this one
 * was deleted is the same one only where this is.
 */
export function seriesOf(document: BudgetDocument): string {
  const before = known.get(document);
  if (before !== undefined) return before;
  const parts = Object.entries(FIXED).map(([field, of]) => [field, of(document.spec)] as const);
  const series = digest("budget-series", canonical(Object.fromEntries(parts)));
  known.set(document, series);
  return series;
}

/**
 * Refuses to declare a budget anew as another one: what was spent of it would count for nothing. Its limit, its
 * enforcement and what is said about it may change.
 */
export function requireSameBudget(before: BudgetDocument | undefined, next: BudgetDocument): void {
  if (!before) return;
  for (const [field, of] of Object.entries(FIXED)) {
    const [was, becomes] = [canonical(of(before.spec)), canonical(of(next.spec))];
    if (was === becomes) continue;
    const { name } = next.metadata;
    throw invalid(`spec.${field}`, `the ${field} of the budget ${name} is ${was} and cannot become ${becomes}`, {
      fix: "declare a budget of another name, and delete this one if nothing should be held to it any more",
    });
  }
}
