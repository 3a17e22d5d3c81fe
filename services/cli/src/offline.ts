import { compile, type Documents, type Problem, parseDocuments } from "@remit/engine";
import type { DocumentFile } from "./document-files.ts";

/** What documents say, and everything that is wrong with them by themselves: no service is asked. */
export function checkDocuments(files: readonly DocumentFile[]): { documents: Documents; problems: readonly Problem[] } {
  const { documents, problems } = parseDocuments(files);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const compiled = compile({ policies, tools: documents.tools });
  return { documents, problems: [...problems, ...compiled.problems] };
}
