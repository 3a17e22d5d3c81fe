import type { Documents, Problem } from "@remit/engine";
import type { DocumentFile } from "./document-files.ts";
import { loadEngine } from "./engine.ts";

/** What documents say, and everything that is wrong with them by themselves: no service is asked. */
export async function checkDocuments(
  files: readonly DocumentFile[],
): Promise<{ documents: Documents; problems: readonly Problem[] }> {
  const { compile, lint, namesOfFiles, parseDocuments } = await loadEngine();
  const { documents, problems } = parseDocuments(files);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const compiled = compile({ policies, tools: documents.tools });
  const found = [...problems, ...compiled.problems, ...lint(documents, namesOfFiles(documents))];
  const sources = new Map(files.map((source) => [source.file, source]));
  return { documents, problems: found.map((problem) => sources.get(problem.file)?.placed?.(problem) ?? problem) };
}
