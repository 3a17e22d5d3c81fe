import type { Problem } from "@remit/engine";
import type { Clients } from "./clients.ts";
import type { Document } from "./document-files.ts";
import { loadEngine } from "./engine.ts";
import { registeredTools } from "./registered-tools.ts";

/** What is said of names that no document declares, of such documents. */
const elsewhere = new Map<Problem["code"], "groups" | "budgets" | "agents">([
  ["group_undeclared", "groups"],
  ["budget_undeclared", "budgets"],
  ["label_unknown", "agents"],
]);

/**
 * What will be wrong with the policies of files once their tools are registered, too. A dry run registers none, so the
 * service judges the policies beside the tools of before: it misses what is to come, and what is to go is no help.
 */
export async function foreseenProblems(
  clients: Pick<Clients, "tool">,
  documents: readonly Document[],
  told: readonly Problem[],
): Promise<Problem[]> {
  const { compile, lint, namesOfFiles, noDocuments, parseDocuments } = await loadEngine();
  const own = parseDocuments(documents).documents;
  const theirs = new Set(own.tools.map(({ metadata }) => metadata.name));
  const others = (await registeredTools(clients)).filter(({ metadata }) => !theirs.has(metadata.name));
  const tools = [...own.tools, ...others];
  const policies = own.policies.map((document) => ({ document, version: 1 }));
  const names = namesOfFiles({ ...own, tools });
  return [
    ...compile({ policies, tools }).problems,
    ...lint({ ...noDocuments(), policies: own.policies }, names),
    // Of kinds that the files do not declare the service knows more.
    ...told.filter(({ code }) => {
      const kind = elsewhere.get(code);
      return kind !== undefined && own[kind].length === 0;
    }),
  ];
}
