import type { ChangeKind, DocumentChange, FieldChange, JsonValue, OutcomeChange, OutcomesDiff } from "@remit/engine";
import { counted } from "../counted.ts";
import { paintEffect } from "../effects.ts";
import type { Paint } from "../paint.ts";
import { spelledOut } from "../tools-import/plain-text.ts";

const signs: Readonly<Record<ChangeKind, string>> = { added: "+", removed: "-", changed: "~" };

function painted(change: ChangeKind, text: string, paint: Paint): string {
  return change === "added" ? paint.green(text) : change === "removed" ? paint.red(text) : paint.yellow(text);
}

/** A bundle of another language is long, and its text says nothing. */
const VALUE_CHARS_MAX = 400;
/** So much of what is the same on both sides stands before the first difference. */
const BEFORE_CHARS = 60;

function valueText(value: JsonValue): string {
  const texts = Array.isArray(value) && value.every((item) => typeof item === "string");
  return spelledOut(typeof value === "string" ? value : texts ? value.join(" · ") : JSON.stringify(value));
}

/** How many characters two texts begin with alike. */
function sameChars(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

/** A part of a text that is too long, and what it is a part of. */
function partOf(text: string, from: number, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const part = text.slice(from, from + charsMax).toWellFormed();
  const after = from + charsMax < text.length ? "…" : "";
  const which = `characters ${from + 1} to ${from + part.length} of ${text.length}; --full shows all`;
  return `${from > 0 ? "…" : ""}${part}${after} (${which})`;
}

function fieldLines({ field: name, from, to }: FieldChange, indent: string, paint: Paint, charsMax: number): string[] {
  const field = spelledOut(name);
  const first = (value: JsonValue) => partOf(valueText(value), 0, charsMax);
  if (from === undefined) return [`${indent}${field}: ${paint.green(`+ ${first(to ?? null)}`)}`];
  if (to === undefined) return [`${indent}${field}: ${paint.red(`- ${first(from)}`)}`];
  const whole = [valueText(from), valueText(to)] as const;
  // Where they differ must be seen: what both begin with is left out where it fills all that is shown.
  const same = sameChars(...whole);
  const begin = same < charsMax - BEFORE_CHARS ? 0 : same - BEFORE_CHARS;
  const [old, now] = [partOf(whole[0], begin, charsMax), partOf(whole[1], begin, charsMax)];
  if (old.length + now.length < 60) return [`${indent}${field}: ${paint.red(old)} → ${paint.green(now)}`];
  return [`${indent}${field}:`, `${indent}  ${paint.red(`- ${old}`)}`, `${indent}  ${paint.green(`+ ${now}`)}`];
}

function documentLines(document: DocumentChange, paint: Paint, charsMax: number): string[] {
  const { kind, name, change, fields, rules } = document;
  return [
    painted(change, `${signs[change]} ${kind} ${spelledOut(name)}`, paint),
    ...fields.flatMap((field) => fieldLines(field, "    ", paint, charsMax)),
    ...rules.flatMap((rule) => [
      `  ${painted(rule.change, `${signs[rule.change]} rule ${spelledOut(rule.rule)}`, paint)}`,
      ...rule.fields.flatMap((field) => fieldLines(field, "      ", paint, charsMax)),
    ]),
  ];
}

/** What is otherwise in the documents. `charsMax`: how much of a value is shown, from where two begin to differ. */
export function documentDiffLines(
  changes: readonly DocumentChange[],
  paint: Paint,
  charsMax = VALUE_CHARS_MAX,
): string[] {
  if (changes.length === 0) return ["the documents say the same"];
  return changes.flatMap((change) => documentLines(change, paint, charsMax));
}

function rulesText({ code, rules }: OutcomeChange["from"]): string {
  return rules.length === 0 ? code : rules.join(", ");
}

function outcomeLines({ name, tool, direction, from, to, also }: OutcomeChange, paint: Paint): string[] {
  const word = { wider: paint.red("WIDER"), narrower: paint.green("narrower"), otherwise: paint.dim("otherwise") }[
    direction
  ];
  const more = also.length === 0 ? "" : `  (${also.join(", ")} too)`;
  return [
    `${word}  ${tool}  ${name}`,
    `    ${paintEffect(paint, from.effect)} (${rulesText(from)}) → ${paintEffect(paint, to.effect)} (${rulesText(to)})${more}`,
  ];
}

const SHOWN_MAX = 50;

/** Which calls end otherwise, wider ones first. */
export function outcomeDiffLines(
  { compared, wider, narrower, otherwise, changes }: OutcomesDiff,
  paint: Paint,
): string[] {
  if (compared === 0) return ["no calls were compared: give tests beside the policies, or --calls FILE"];
  const order = ["wider", "narrower", "otherwise"] as const;
  const sorted = order.flatMap((direction) => changes.filter((change) => change.direction === direction));
  const shown = sorted.slice(0, SHOWN_MAX);
  const rest = wider + narrower + otherwise - shown.length;
  return [
    ...shown.flatMap((change) => outcomeLines(change, paint)),
    ...(rest > 0 ? [`and ${rest} more; --json has up to 1,000 of each`] : []),
    `${counted(compared, "call")}: ${wider} wider, ${narrower} narrower, ${otherwise} otherwise`,
  ];
}
