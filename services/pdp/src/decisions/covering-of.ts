import type { BudgetDocument } from "@remit/engine";
import { type Covering, compileCovering, compileCoveringInSlices } from "../budgets/index.ts";
import type { Pause } from "../foundation/in-slices.ts";
import type { Registered, Snapshot } from "../policies/index.ts";

type Declared = Pick<Snapshot, "budgets" | "tools">;

const coverings = new WeakMap<Snapshot["budgets"], WeakMap<Snapshot["tools"], Covering>>();

function* documentsOf(budgets: Iterable<Registered<BudgetDocument>>): Iterable<BudgetDocument> {
  for (const { document } of budgets) yield document;
}

function* redactedBy(tools: Snapshot["tools"]): Iterable<string> {
  for (const { document } of tools.values()) yield* document.spec.redact ?? [];
}

function keep({ budgets, tools }: Declared, covering: Covering): Covering {
  const byTools = coverings.get(budgets) ?? new WeakMap<Snapshot["tools"], Covering>();
  coverings.set(budgets, byTools.set(tools, covering));
  return covering;
}

const known = ({ budgets, tools }: Declared) => coverings.get(budgets)?.get(tools);

/** The budgets of a snapshot, indexed once for as long as they and its tools stay what they are. */
export function coveringOf(declared: Declared): Covering {
  const { budgets, tools } = declared;
  return known(declared) ?? keep(declared, compileCovering(documentsOf(budgets.values()), redactedBy(tools)));
}

async function prepareCovering(declared: Declared, pause: Pause): Promise<void> {
  const { budgets, tools } = declared;
  if (budgets.size === 0 || known(declared)) return;
  keep(declared, await compileCoveringInSlices(documentsOf(budgets.values()), redactedBy(tools), pause));
}

/** Indexes the budgets of a snapshot before anything is decided by it: the first call would wait, and all others with it. */
export async function prepareCoverings(snapshot: Snapshot, pause: Pause): Promise<void> {
  await prepareCovering(snapshot, pause);
  const { candidate } = snapshot.rollout ?? {};
  if (candidate) await prepareCovering(candidate, pause);
}
