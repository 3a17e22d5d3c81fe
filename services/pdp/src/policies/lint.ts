import { lintInSlices, namesOfAll, noDocuments, type PolicyDocument, type Problem } from "@remit/engine";
import type { Pause, Snapshot } from "./snapshot.ts";

const documentsOf = <Document>(rows: ReadonlyMap<string, { readonly document: Document }>): Document[] =>
  [...rows.values()].map(({ document }) => document);

/** Warnings about policies, which may name whatever is registered in the tenant. */
export function lintBeside(
  { agents, tools, budgets, groups }: Snapshot,
  policies: readonly PolicyDocument[],
  pause: Pause,
): Promise<readonly Problem[]> {
  const known = namesOfAll({
    tools: documentsOf(tools),
    agents: [...agents.values()],
    budgets: documentsOf(budgets),
    groups: documentsOf(groups),
  });
  return lintInSlices({ ...noDocuments(), policies: [...policies] }, known, pause);
}
