import { type Document, isAlias, isMap, isScalar, isSeq, type Range, type Scalar, type YAMLMap } from "yaml";
import { type JsonValue, setOwn } from "../json.ts";
import { below, type LinedText, linedText, type Origin, type Place, problemAt } from "./origin.ts";
import type { Problem } from "./problem.ts";
import type { ProblemCode } from "./problem-code.ts";
import { flowDepthOver, yamlDocuments } from "./yaml-stream.ts";

/** One YAML or JSON file and what to call it in problems. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** A document's plain value and where each part of it stands. */
export interface SourceDocument {
  readonly value: JsonValue;
  readonly origin: Origin;
}

const documentCharsMax = 1024 * 1024;
const fileCharsMax = 8 * documentCharsMax;
const depthMax = 32;

const problemsMax = 200;
const documentsMax = 20_000;
/** The keys that lead to a value, together: they stand in its pointer, one for every value. */
const pointerCharsMax = 1000;

/**
 * The documents of a file by YAML 1.2's core schema, which JSON is part of: no tags, no anchors or aliases, no duplicate
 * keys, text keys only, at most 32 deep and 2^20 characters a document. A document with a problem is left out, and after
 * 200 problems the rest of the file.
 */
export function readYaml(file: SourceFile, problems: Problem[]): SourceDocument[] {
  const { text } = file;
  const source = linedText(file.file, text);
  const fail: Fail = (offset, code, message, expected) =>
    problems.push(problemAt(source, offset, message, { code, expected }));
  if (text.length > fileCharsMax) {
    fail(0, "too_large", `a file of ${text.length} characters`, `at most ${fileCharsMax} characters`);
    return [];
  }
  const tooDeep = flowDepthOver(text, depthMax * 2);
  if (tooDeep !== undefined) {
    fail(tooDeep, "too_deep", "nested too deeply", `at most ${depthMax} levels`);
    return [];
  }
  const before = problems.length;
  const documents: SourceDocument[] = [];
  let documentsRead = 0;
  // A broken token is no place to go on from when there are hundreds of them.
  for (const document of yamlDocuments(text, problemsMax)) {
    const read = readDocument(document, source, fail);
    if (read && read.value !== null) documents.push(read);
    if (++documentsRead > documentsMax) {
      fail(document.range[0], "too_large", `a file of more than ${documentsMax} documents`, "several files");
      return [];
    }
    if (problems.length - before < problemsMax) continue;
    fail(document.range[1], "too_large", `more than ${problemsMax} problems: the rest of the file is not read`);
    return [];
  }
  return documents;
}

type Fail = (offset: number, code: ProblemCode, message: string, expected?: string) => void;

function readDocument(document: Document.Parsed, source: LinedText, fail: Fail): SourceDocument | undefined {
  let whole = true;
  const refuse: Fail = (...problem) => {
    whole = false;
    fail(...problem);
  };
  for (const error of [...document.errors, ...document.warnings].slice(0, problemsMax)) {
    // The parser recurses once a level, and notes that it could not go deeper.
    const tooDeep = error.message.includes("call stack");
    if (tooDeep) refuse(error.pos[0], "too_deep", "nested too deeply");
    else refuse(error.pos[0], "yaml_invalid", `not valid YAML: ${error.message}`);
  }
  const [start, end] = [document.range[0], document.range[1]];
  if (end - start > documentCharsMax) {
    refuse(start, "too_large", `a document of ${end - start} characters`, `at most ${documentCharsMax} characters`);
  }
  if (document.directives?.yaml.explicit)
    refuse(start, "yaml_unsupported", "YAML directives are not supported", "no line that begins with %");
  if (!whole) return undefined;
  const values = new Map<string, Place>();
  const keys = new Map<string, number>();
  let refused = 0;
  const walk: Walk = {
    ...{ text: source.text, values, keys },
    refuse: (...problem) => {
      if (refused++ < problemsMax) refuse(...problem);
    },
    ended: () => refused > problemsMax,
  };
  const value = readNode(document.contents, "", 0, walk);
  return whole ? { value, origin: { source, values, keys } } : undefined;
}

interface Walk {
  readonly text: string;
  readonly values: Map<string, Place>;
  readonly keys: Map<string, number>;
  readonly refuse: Fail;
  /** Whether so much was refused that the rest is not worth reading. */
  readonly ended: () => boolean;
}

function readNode(node: unknown, pointer: string, depth: number, walk: Walk): JsonValue {
  if (node === null || node === undefined || walk.ended()) return null;
  const marked = node as { range?: Range | null; tag?: string; anchor?: string };
  const offset = marked.range?.[0] ?? 0;
  const unsupported = unsupportedNode(node, marked, depth);
  if (unsupported) {
    walk.refuse(offset, ...unsupported);
    return null;
  }
  if (isScalar(node)) return readScalar(node, pointer, offset, walk);
  if (!walk.values.has(pointer)) walk.values.set(pointer, { offset });
  if (isSeq(node)) return node.items.map((item, index) => readNode(item, below(pointer, index), depth + 1, walk));
  return isMap(node) ? readMap(node, pointer, depth, walk) : null;
}

function unsupportedNode(
  node: unknown,
  marked: { tag?: string; anchor?: string },
  depth: number,
): [code: ProblemCode, message: string, expected: string] | undefined {
  if (isAlias(node) || marked.anchor) {
    return ["yaml_unsupported", "anchors and aliases are not supported", "the value itself, or a policy variable"];
  }
  if (marked.tag) return ["yaml_unsupported", "tags are not supported", "a plain value"];
  return depth > depthMax ? ["too_deep", "nested too deeply", `at most ${depthMax} levels`] : undefined;
}

function readMap(map: YAMLMap, pointer: string, depth: number, walk: Walk): JsonValue {
  const object: Record<string, JsonValue> = {};
  for (const pair of map.items) {
    const key = isScalar(pair.key) ? pair.key.value : undefined;
    const offset = (pair.key as { range?: Range } | null)?.range?.[0] ?? 0;
    if (typeof key !== "string") {
      const expected = "a text key; quote it if it looks like a number, true or null";
      walk.refuse(offset, "yaml_unsupported", "a key that is not text", expected);
      continue;
    }
    if (Object.hasOwn(object, key)) {
      walk.refuse(offset, "key_duplicate", `the key \`${key.slice(0, 100)}\` stands twice in one map`);
      continue;
    }
    const child = below(pointer, key);
    if (child.length > pointerCharsMax) {
      const expected = `at most ${pointerCharsMax} characters of keys that lead to a value`;
      walk.refuse(offset, "too_large", `a key of ${key.length} characters`, expected);
      continue;
    }
    if (!key.isWellFormed() || key.includes("\0")) {
      walk.refuse(offset, "yaml_unsupported", "a key with a NUL or half a character in it");
    }
    walk.keys.set(child, offset);
    // Where a map or list begins its own line, its key says better where it is.
    if (!isScalar(pair.value)) walk.values.set(child, { offset });
    setOwn(object, key, readNode(pair.value, child, depth + 1, walk));
  }
  return object;
}

function readScalar(node: Scalar, pointer: string, offset: number, walk: Walk): JsonValue {
  const value = node.value;
  walk.values.set(pointer, typeof value === "string" ? placeOfText(node, value, offset, walk.text) : { offset });
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (value.isWellFormed() && !value.includes("\0")) return value;
    walk.refuse(offset, "yaml_unsupported", "text with a NUL or half a character in it");
    return null;
  }
  if (typeof value === "number" && Number.isFinite(value)) {
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  }
  const number = (node.source ?? "").slice(0, 40);
  const expected = "at most 2^53 - 1; quote it if it is a name";
  walk.refuse(offset, "number_out_of_range", `the number ${number} is out of range`, expected);
  return null;
}

function placeOfText(node: Scalar, value: string, offset: number, source: string): Place {
  const quoted = node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE";
  const textOffset = quoted ? offset + 1 : offset;
  if (source.startsWith(value, textOffset)) return { offset, textOffset };
  const block = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
  return { offset, foldedOffset: block ? source.indexOf("\n", offset) + 1 : textOffset };
}
