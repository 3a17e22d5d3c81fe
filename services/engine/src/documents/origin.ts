import { farReporter, type Unplaced } from "./far-origin.ts";
import type { Problem } from "./problem.ts";
import type { ProblemCode } from "./problem-code.ts";

/** Where one value of a document stands in its file: offsets into the text. */
export interface Place {
  readonly offset: number;
  /** Where the characters of a text value begin, when they stand in the file as they are. */
  readonly textOffset?: number;
  /** Where the characters of a text value begin that was folded or indented: the same ones, with other white space. */
  readonly foldedOffset?: number;
}

/** A file's text and where its lines begin. */
export interface LinedText {
  readonly file: string;
  readonly text: string;
  readonly lineStarts: readonly number[];
}

export function linedText(file: string, text: string): LinedText {
  const lineStarts = [0];
  for (let index = text.indexOf("\n"); index !== -1; index = text.indexOf("\n", index + 1)) lineStarts.push(index + 1);
  return { file, text, lineStarts };
}

/** The file a document came from and the place of every value in it, by JSON pointer. */
export interface Origin {
  readonly source: LinedText;
  readonly values: ReadonlyMap<string, Place>;
  readonly keys: ReadonlyMap<string, number>;
}

export interface ProblemDetails {
  /** What kind of problem it is; absent: `value_invalid`. */
  readonly code?: ProblemCode;
  /** Point at the key instead of the value. */
  readonly atKey?: boolean;
  /** Point into a text value: an offset in UTF-16 units. */
  readonly within?: { readonly text: string; readonly offset: number };
  readonly expected?: string | undefined;
  /** The nearest valid name, or how to find it: that is asked for only where it is told. */
  readonly nearest?: string | undefined | (() => string | undefined);
  readonly severity?: "error" | "warning";
}

/** Says what is wrong at a JSON pointer of the document being read. */
export type Report = (pointer: string, message: string, details?: ProblemDetails) => void;

// Documents are plain values that get stored and come back; where they came from lives beside them.
const origins = new WeakMap<object, Origin>();

export function rememberOrigin(document: object, origin: Origin): void {
  origins.set(document, origin);
}

/** A report for one document: places are found if the document was read from a file in this process. */
export function reporter(document: object, name: string, problems: Problem[]): Report {
  const origin = origins.get(document);
  if (origin) return originReporter(origin, problems);
  const placeless = placelessReporter(name, problems);
  return farReporter(document, placeless, problems) ?? placeless;
}

/** Gives what was found in a document its place, where the document was read in this thread. */
export function placeIn(document: object, { pointer, message, details }: Unplaced): Problem | undefined {
  const origin = origins.get(document);
  const problems: Problem[] = [];
  const { within } = details;
  const whole = within?.text === "" ? { within: { ...within, text: textAt(document, pointer) } } : {};
  if (origin) originReporter(origin, problems)(pointer, message, { ...details, ...whole });
  return problems[0];
}

/** The text at a JSON pointer of a document; empty where there is none. */
function textAt(document: object, pointer: string): string {
  let found: unknown = document;
  for (const step of pointer.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    found =
      typeof found === "object" && found !== null ? Object.getOwnPropertyDescriptor(found, key)?.value : undefined;
  }
  return typeof found === "string" ? found : "";
}

/** Enough to mend; hostile files could have one a byte. There is room for errors when there is none for warnings, so that no error is lost without another. */
const warningsMax = 1000;
const problemsMax = 2 * warningsMax;
/** Looking for near names among thousands takes its time. */
const nearestMax = 200;

function isTold(details: ProblemDetails, problems: readonly Problem[]): boolean {
  return problems.length < (details.severity === "warning" ? warningsMax : problemsMax);
}

export function originReporter(origin: Origin, problems: Problem[]): Report {
  return (pointer, message, given = {}) => {
    if (!isTold(given, problems)) return;
    const details = resolved(given, problems);
    problems.push(problemAt(origin.source, offsetOf(origin, pointer, details), message, details));
  };
}

function placelessReporter(name: string, problems: Problem[]): Report {
  return (pointer, message, given = {}) => {
    if (!isTold(given, problems)) return;
    const details = resolved(given, problems);
    const where = pointer === "" ? "" : `${pointer}: `;
    problems.push({ file: name, line: 0, column: 0, ...withoutPlace(`${where}${message}`, details) });
  };
}

type Resolved = ProblemDetails & { readonly nearest?: string | undefined };

function resolved(details: ProblemDetails, problems: readonly Problem[]): Resolved {
  const { nearest } = details;
  if (typeof nearest !== "function") return details as Resolved;
  return { ...details, nearest: problems.length < nearestMax ? nearest() : undefined };
}

/** A problem at an offset of a text, with the line it stands on as its excerpt. */
export function problemAt(source: LinedText, offset: number, message: string, details: Resolved = {}): Problem {
  const { file, text, lineStarts } = source;
  const line = lineAt(lineStarts, offset);
  const start = lineStarts[line] ?? 0;
  const next = lineStarts[line + 1];
  const end = next === undefined ? text.length : next - (text[next - 2] === "\r" ? 2 : 1);
  const column = offset - start + 1;
  return {
    file,
    line: line + 1,
    column,
    ...withoutPlace(message, details),
    excerpt: excerptOf(text, start, end, column),
  };
}

/** The last line that begins at or before the offset, from 0. */
function lineAt(lineStarts: readonly number[], offset: number): number {
  let [low, high] = [0, lineStarts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function withoutPlace(message: string, details: Resolved) {
  return {
    severity: details.severity ?? ("error" as const),
    code: details.code ?? ("value_invalid" as const),
    message,
    ...(details.expected === undefined ? {} : { expected: details.expected }),
    ...(details.nearest === undefined ? {} : { nearest: details.nearest }),
  };
}

const excerptCharsMax = 120;

/** A line, or the part of a long one that stands around the column: a file may be one line. */
function excerptOf(text: string, start: number, end: number, column: number): string {
  const from = column > excerptCharsMax - 20 ? column - 40 : 0;
  const shown = text.slice(start + from, Math.max(start + from, Math.min(end, start + from + excerptCharsMax)));
  // A tab stays a tab, so that the caret stands below its character.
  const before = shown.slice(0, column - 1 - from).replace(/[^\t]/g, " ");
  return `${shown}\n${before}^`;
}

function offsetOf(origin: Origin, pointer: string, details: ProblemDetails): number {
  if (details.atKey) {
    const key = origin.keys.get(pointer);
    if (key !== undefined) return key;
  }
  let known = pointer;
  while (!origin.values.has(known) && known !== "") known = known.slice(0, known.lastIndexOf("/"));
  const place = origin.values.get(known);
  if (!place) return 0;
  // A condition written alone is the first of its list.
  return details.within ? offsetWithin(place, details.within, origin.source.text) : place.offset;
}

function offsetWithin(place: Place, within: { text: string; offset: number }, source: string): number {
  if (place.textOffset !== undefined) return place.textOffset + within.offset;
  if (place.foldedOffset === undefined) return place.offset;
  let at = place.foldedOffset;
  for (const char of within.text.slice(0, within.offset).replace(/\s+/g, "")) {
    at = afterSpace(source, at);
    if (!source.startsWith(char, at)) return place.offset;
    at += char.length;
  }
  return afterSpace(source, at);
}

function afterSpace(text: string, offset: number): number {
  let at = offset;
  while (at < text.length && /\s/.test(text.charAt(at))) at++;
  return at;
}

/** One more step of a JSON pointer. */
export function below(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
