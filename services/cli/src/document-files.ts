import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "@remit/engine";
import { withFilesBeside } from "./beside-files.ts";
import type { Io } from "./cli.ts";
import { loadEngine } from "./engine.ts";
import { usage } from "./stop.ts";

/** A file of documents, or one document of it with its lines where they were. */
export interface DocumentFile {
  readonly file: string;
  readonly text: string;
  /** Where a problem found in the text stands, if other files were put into it. */
  readonly placed?: (problem: Problem) => Problem;
}

export type DocumentKind = "policy" | "tool" | "agent" | "budget" | "group";

/** One document, ready to be sent: problems in it are reported at the lines of its file. */
export interface Document extends DocumentFile {
  readonly kind: DocumentKind;
  readonly name: string;
}

const EXTENSION = /\.(?:ya?ml|json)$/;
const TEST_FILE = /_test\.(?:ya?ml|json)$/;

/** Whether a file holds tests of policies, by its name. */
export function isTestFile(file: string): boolean {
  return TEST_FILE.test(file);
}

async function below(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && EXTENSION.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function expand(path: string, option: string): Promise<string[]> {
  try {
    return (await stat(path)).isDirectory() ? await below(path) : [path];
  } catch (error) {
    throw usage(`${option} cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** The document files and the policy test files (`*_test.yaml`) of paths; `-` is standard input. */
export async function readDocumentFiles(
  io: Io,
  paths: readonly string[],
  option: string,
): Promise<{ documents: DocumentFile[]; tests: DocumentFile[] }> {
  const documents: DocumentFile[] = [];
  const tests: DocumentFile[] = [];
  for (const path of paths) {
    if (path === "-") {
      documents.push(await withFilesBeside({ file: "stdin", text: await io.stdin() }));
      continue;
    }
    for (const file of await expand(path, option)) {
      const list = isTestFile(file) ? tests : documents;
      list.push(await withFilesBeside({ file, text: await readFile(file, "utf8") }));
    }
  }
  if (documents.length === 0 && tests.length === 0) {
    throw usage(`${option} names no .yaml, .yml or .json file: ${paths.join(", ")}`);
  }
  return { documents, tests };
}

/** The text of one file; `-` is standard input. */
export async function readText(io: Io, path: string, option: string): Promise<string> {
  if (path === "-") return io.stdin();
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw usage(`${option} cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

// YAML 1.2, section 9.1.2: `---` at the start of a line ends a document wherever it stands, block texts included.
const SEPARATOR = /^---(?=\s|$)/;

function split({ file, text }: DocumentFile): DocumentFile[] {
  const starts = [0];
  const lines = text.split("\n");
  lines.forEach((line, at) => {
    if (at > 0 && SEPARATOR.test(line)) starts.push(at);
  });
  return starts.map((start, at) => ({
    file,
    text: "\n".repeat(start) + lines.slice(start, starts[at + 1]).join("\n"),
  }));
}

/** The documents of files that have no errors, in order. */
export async function separate(files: readonly DocumentFile[]): Promise<Document[]> {
  const { parseDocuments } = await loadEngine();
  return files.flatMap(split).flatMap((part) => {
    const { policies, tools, agents, budgets, groups } = parseDocuments([part]).documents;
    const found: [DocumentKind, { metadata: { name: string } }[]][] = [
      ["policy", policies],
      ["tool", tools],
      ["agent", agents],
      ["budget", budgets],
      ["group", groups],
    ];
    return found.flatMap(([kind, list]) => list.map(({ metadata }) => ({ ...part, kind, name: metadata.name })));
  });
}
