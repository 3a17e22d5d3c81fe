import type { Documents, Problem } from "@remit/engine";
import type { DocumentFile } from "./document-files.ts";
import { loadEngine } from "./engine.ts";

/** What compiling took. */
interface Compiling {
  readonly ms: number;
  /** By how much the heap grew: at most what was compiled takes. */
  readonly mebibytes: number;
}

/** What documents say, and everything that is wrong with them by themselves: no service is asked. */
export async function checkDocuments(
  files: readonly DocumentFile[],
): Promise<{ documents: Documents; problems: readonly Problem[]; compiling: Compiling }> {
  const { compile, lint, namesOfFiles, parseDocuments } = await loadEngine();
  const { documents, problems } = parseDocuments(files);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const [beganMs, before] = [performance.now(), process.memoryUsage().heapUsed];
  const compiled = compile({ policies, tools: documents.tools });
  const compiling = {
    ms: performance.now() - beganMs,
    mebibytes: Math.max(0, process.memoryUsage().heapUsed - before) / (1024 * 1024),
  };
  const sources = new Map(files.map((source) => [source.file, source]));
  const found = [...problems, ...compiled.problems, ...lint(documents, namesOfFiles(documents))].map(
    (problem) => sources.get(problem.file)?.placed?.(problem) ?? problem,
  );
  const order = new Map(files.map(({ file }, at) => [file, at]));
  // As somebody reads who mends them: file by file, from the top.
  const place = ({ file }: Problem) => order.get(file) ?? files.length;
  found.sort((one, other) => place(one) - place(other) || one.line - other.line || one.column - other.column);
  return { documents, problems: found, compiling };
}
