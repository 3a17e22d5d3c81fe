import type { Dirent } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
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

// Emacs writes these links beside what it is changing; they lead nowhere.
const EDITORS_LOCK = /^\.#/;

/**
 * The files below a directory, through links too, each once whatever leads to it. What cannot be followed is an error: a
 * file that is passed over in silence would be pruned.
 */
async function below(directory: string): Promise<string[]> {
  const seen = new Set<string>();
  const isNew = async (path: string) => {
    const place = await realpath(path);
    return !seen.has(place) && seen.add(place).size > 0;
  };
  const files: string[] = [];
  const folders = [directory];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (!(await isNew(folder))) continue;
    // What is not led to by a link keeps its own name.
    const order = (entry: Dirent) => `${entry.isSymbolicLink() ? 1 : 0}${entry.name}`;
    const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !EDITORS_LOCK.test(name));
    for (const entry of entries.sort((a, b) => (order(a) < order(b) ? -1 : 1))) {
      const path = join(folder, entry.name);
      const found = entry.isSymbolicLink() ? await stat(path) : entry;
      if (found.isDirectory()) folders.push(path);
      else if (found.isFile() && EXTENSION.test(entry.name) && (await isNew(path))) files.push(path);
    }
  }
  return files.sort();
}

function unreadable(option: string, path: string, error: unknown): Error {
  const { code, path: place = path } = error as NodeJS.ErrnoException;
  const why = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8" : (code ?? String(error));
  return usage(`${option} cannot read ${place}: ${why}`);
}

async function expand(path: string, option: string): Promise<string[]> {
  try {
    return (await stat(path)).isDirectory() ? await below(path) : [path];
  } catch (error) {
    throw unreadable(option, path, error);
  }
}

/** Strict: a letter that was replaced would be another one than a deny waits for. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

async function textOf(path: string, option: string): Promise<string> {
  try {
    return utf8.decode(await readFile(path));
  } catch (error) {
    throw unreadable(option, path, error);
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
      list.push(await withFilesBeside({ file, text: await textOf(file, option) }));
    }
  }
  if (documents.length === 0 && tests.length === 0) {
    throw usage(`${option} names no .yaml, .yml or .json file: ${paths.join(", ")}`);
  }
  return { documents, tests };
}

/** The text of one file; `-` is standard input. */
export async function readText(io: Io, path: string, option: string): Promise<string> {
  return path === "-" ? io.stdin() : textOf(path, option);
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
