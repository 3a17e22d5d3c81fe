import type { JsonValue } from "@remit/engine";
import { balanced, literal } from "./cel-text.ts";

const WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** A name as a YAML scalar: plain where that cannot be read as anything else. */
export function scalar(text: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text) && !WORDS.test(text) ? text : literal(text);
}

/** A condition as a YAML scalar of a block list: plain, else in single quotes, else escaped. */
export function conditionScalar(text: string): string {
  if (!/^[\x20-\x7e\u00a1-\u{10ffff}]*$/u.test(text)) return literal(text);
  const plain = /^[a-z]/.test(text) && !/: | #|[:\s]$/.test(text);
  return plain ? text : `'${text.replaceAll("'", "''")}'`;
}

/** A JSON value on one line, as YAML reads it too. */
export function flow(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([key, inner]) => `${literal(key)}: ${flow(inner)}`);
    return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
  }
  return typeof value === "string" ? literal(value) : JSON.stringify(value);
}

/** A JSON value over several lines, as YAML reads it too. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/"(?:[^"\\]|\\.)*"/g, (text) => literal(JSON.parse(text)));
}

const COMMENT_CHARS_MAX = 240;

/** Comment lines; what is long is cut. */
export function comments(lines: readonly string[], indent = ""): string[] {
  return lines.map((line) => {
    const cut = line.length > COMMENT_CHARS_MAX ? `${line.slice(0, COMMENT_CHARS_MAX).toWellFormed()} …` : line;
    return `${indent}# ${balanced(cut) ? cut : cut.replace(/[[\]{}]/g, "|")}`.trimEnd();
  });
}
