import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Canonicalisable } from "../../foundation/canonical.ts";

const TEXT_CHARS_MAX = 256;
const ITEMS_MAX = 64;
const DEPTH_MAX = 2;

// Somebody may paste a secret where a name belongs; an entry is kept for years.
const SECRET = /rmt_[A-Za-z0-9_-]{20,}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]*/g;

function textOf(text: string): string {
  const short = text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX)}…`;
  return short.toWellFormed().replaceAll(SECRET, "(secret)");
}

/** A value of a request as an entry repeats it: of a document no more than the name of its file. */
function told(value: unknown, depth = 0): Canonicalisable | undefined {
  if (typeof value === "string") return value === "" ? undefined : textOf(value);
  if (typeof value === "bigint") return value === 0n ? undefined : value.toString();
  if (typeof value === "number") return value === 0 || !Number.isFinite(value) ? undefined : value;
  if (typeof value === "boolean") return value || undefined;
  if (depth >= DEPTH_MAX || typeof value !== "object" || value === null || value instanceof Uint8Array)
    return undefined;
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MAX).flatMap((item) => told(item, depth + 1) ?? []);
    const more = value.length - ITEMS_MAX;
    return items.length === 0 ? undefined : [...items, ...(more > 0 ? [`and ${more} more`] : [])];
  }
  return recordOf(value, depth + 1);
}

function recordOf(value: object, depth: number): Canonicalisable | undefined {
  const isSource = "file" in value && "text" in value;
  const fields = isSource ? { file: value.file } : value;
  const found = Object.entries(fields).flatMap(([name, field]) => {
    const one = name.startsWith("$") ? undefined : told(field, depth);
    return one === undefined ? [] : [[name, one] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** What an entry repeats of a request: the named fields, as far as they are set. Bounded, whatever was sent. */
export function aboutOf(
  input: DescMessage,
  request: Message,
  tells: readonly string[],
): Record<string, Canonicalisable> {
  const values = request as unknown as Readonly<Record<string, unknown>>;
  const found = tells.flatMap((name) => {
    const field = input.field[name];
    if (!field) return [];
    const given = values[name];
    // A number that stands for a word is told as the word.
    const word =
      field.fieldKind === "enum" && typeof given === "number" && given !== 0 && field.enum.value[given]?.name;
    const value = word || told(given);
    return value === undefined ? [] : [[field.name, value] as const];
  });
  return Object.fromEntries(found);
}
