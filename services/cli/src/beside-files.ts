import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Problem } from "@remit/engine";
import { isMap, isScalar, type Pair, parseAllDocuments, type YAMLMap } from "yaml";
import type { DocumentFile } from "./document-files.ts";
import { usage } from "./stop.ts";

/** The keys of a Policy that name a file beside it, and where what the file holds belongs. */
const keys: Readonly<Record<string, "bundle" | "source" | "schema">> = {
  bundleFile: "bundle",
  sourceFile: "source",
  schemaFile: "schema",
};

/** One key that is replaced, from its first character to the last of its value. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** Where the lines of a text file were put in. */
  readonly inserted?: { readonly file: string; readonly lines: number; readonly indent: number };
}

/**
 * A file of documents with the files that its policies name put in: bundles in base64, texts as they are. Problems are
 * found at their places in the files all the same.
 */
export async function withFilesBeside(source: DocumentFile): Promise<DocumentFile> {
  if (!Object.keys(keys).some((key) => source.text.includes(key))) return source;
  const edits: Edit[] = [];
  for (const document of parseAllDocuments(source.text)) {
    if (!("contents" in document) || !isMap(document.contents) || document.get("kind") !== "Policy") continue;
    const spec = document.get("spec");
    if (!isMap(spec)) continue;
    for (const pair of spec.items) {
      const edit = await editOf(pair, spec, source);
      if (edit) edits.push(edit);
    }
  }
  if (edits.length === 0) return source;
  let [text, at] = ["", 0];
  const blocks: Block[] = [];
  for (const edit of edits) {
    text += source.text.slice(at, edit.from);
    if (edit.inserted) blocks.push({ ...edit.inserted, first: text.split("\n").length + 1 });
    text += edit.text;
    at = edit.to;
  }
  return { file: source.file, text: text + source.text.slice(at), placed: (problem) => placed(problem, blocks) };
}

async function editOf(pair: Pair, spec: YAMLMap, source: DocumentFile): Promise<Edit | undefined> {
  if (!isScalar(pair.key) || !isScalar(pair.value)) return undefined;
  const key = Object.hasOwn(keys, String(pair.key.value)) ? keys[String(pair.key.value)] : undefined;
  const [from, to] = [pair.key.range?.[0], pair.value.range?.[1]];
  if (key === undefined || typeof pair.value.value !== "string" || from === undefined || to === undefined)
    return undefined;
  const file = join(dirname(source.file), pair.value.value);
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw usage(`${source.file}: ${key}File cannot read ${file}: ${why}`);
  }
  if (key === "bundle") return { from, to, text: `${key}: ${JSON.stringify(content.toString("base64"))}` };
  return textEdit(key, content.toString("utf8").replaceAll("\r\n", "\n"), {
    from,
    to,
    file,
    flow: spec.flow === true,
    source,
  });
}

interface Where {
  readonly from: number;
  readonly to: number;
  readonly file: string;
  readonly flow: boolean;
  readonly source: DocumentFile;
}

/** A text stands as a block, so that every character has its place; where no block can stand, as a quoted text. */
function textEdit(key: string, content: string, { from, to, file, flow, source }: Where): Edit {
  const lineStart = source.text.lastIndexOf("\n", from - 1) + 1;
  const before = source.text.slice(lineStart, from);
  const [rest = ""] = /^[ \t]*(?:#[^\n]*)?(?=\r?\n|$)/.exec(source.text.slice(to)) ?? [];
  const ends = /^[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/.test(source.text.slice(to));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what YAML takes in quotes alone
  const plain = content !== "" && !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(content);
  const shown = JSON.stringify(key);
  const quoted = { from, to, text: `${flow ? shown : key}: ${JSON.stringify(content)}` };
  if (flow || !plain || !ends || /[^ ]/.test(before)) return quoted;
  const indent = before.length + 2;
  const whole = content.endsWith("\n");
  const lines = (whole ? content.slice(0, -1) : content).split("\n");
  const body = lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line)).join("\n");
  const text = `${key}: |2${whole ? "+" : "-"}\n${body}`;
  return { from, to: to + rest.length, text, inserted: { file, lines: lines.length, indent } };
}

interface Block {
  readonly file: string;
  readonly lines: number;
  readonly indent: number;
  /** Its first line in what was put together. */
  readonly first: number;
}

/** Where a problem stands in the files as they are. */
function placed(problem: Problem, blocks: readonly Block[]): Problem {
  let line = problem.line;
  for (const { file, lines, indent, first } of blocks.toReversed()) {
    if (problem.line >= first + lines) line -= lines;
    else if (problem.line >= first) {
      const cut = " ".repeat(indent);
      const excerpt = problem.excerpt?.replace(new RegExp(`^${cut}`, "gm"), "");
      const column = Math.max(1, problem.column - indent);
      return {
        ...problem,
        file,
        line: problem.line - first + 1,
        column,
        ...(excerpt === undefined ? {} : { excerpt }),
      };
    }
  }
  return { ...problem, line };
}
