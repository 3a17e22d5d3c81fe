import { lintInSlices, namesOfAllInSlices, noDocuments, type PolicyDocument, type Problem } from "@remit/engine";
import type { Pause, Snapshot } from "./snapshot.ts";

function* documentsOf<Document>(rows: ReadonlyMap<string, { readonly document: Document }>): Iterable<Document> {
  for (const { document } of rows.values()) yield document;
}

/** Warnings about policies, which may name whatever is registered in the tenant. */
export async function lintBeside(
  { agents, tools, budgets, groups }: Snapshot,
  policies: readonly PolicyDocument[],
  pause: Pause,
): Promise<readonly Problem[]> {
  const registered = {
    tools: documentsOf(tools),
    agents: agents.values(),
    budgets: documentsOf(budgets),
    groups: documentsOf(groups),
  };
  const known = await namesOfAllInSlices(registered, pause);
  return lintInSlices({ ...noDocuments(), policies: [...policies] }, known, pause);
}
