import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { Check, Compiling } from "./schema-check.ts";
import { fail } from "./schema-failure.ts";
import { spendSteps } from "./schema-work.ts";
import type { Steps } from "./steps.ts";

/** What a part asks of a value whatever is inside it. */
export function* valueChecks(part: JsonObject, compiling: Compiling): Steps<Check[]> {
  const checks = [...typeCheck(part), ...numberChecks(part), ...lengthChecks(part)];
  if (typeof part.pattern === "string") {
    const search = yield* compiling.pattern(part.pattern);
    const message = `must match pattern "${part.pattern}"`;
    checks.push((value) => typeof value !== "string" || search(value) || fail(message));
  }
  if (Array.isArray(part.enum)) checks.push(yield* oneOfValues(part.enum, () => valuesMessage(part.enum ?? [])));
  if (Object.hasOwn(part, "const"))
    checks.push(yield* oneOfValues([part.const ?? null], () => "must be equal to constant"));
  return checks;
}

const typeTests: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  array: (value) => Array.isArray(value),
  object: (value) => isJsonObject(value),
};

function typeCheck({ type, nullable }: JsonObject): Check[] {
  if (type === undefined) return [];
  const names = (Array.isArray(type) ? type : [type]).map(String);
  const message = `must be ${names.join(",")}`;
  if (nullable === true) names.push("null");
  const [test, ...others] = names.flatMap((name) => typeTests[name] ?? []);
  if (!test) return [];
  if (others.length === 0) return [(value) => test(value) || fail(message)];
  return [(value) => test(value) || others.some((other) => other(value)) || fail(message)];
}

const bounds: readonly (readonly [keyword: string, sign: string, holds: (value: number, bound: number) => boolean])[] =
  [
    ["maximum", "<=", (value, bound) => value <= bound],
    ["minimum", ">=", (value, bound) => value >= bound],
    ["exclusiveMaximum", "<", (value, bound) => value < bound],
    ["exclusiveMinimum", ">", (value, bound) => value > bound],
  ];

function numberChecks(part: JsonObject): Check[] {
  const checks: Check[] = [];
  for (const [keyword, sign, holds] of bounds) {
    const bound = part[keyword];
    if (typeof bound !== "number") continue;
    const message = `must be ${sign} ${bound}`;
    checks.push((value) => typeof value !== "number" || holds(value, bound) || fail(message));
  }
  const { multipleOf } = part;
  if (typeof multipleOf === "number") {
    const message = `must be multiple of ${multipleOf}`;
    checks.push((value) => typeof value !== "number" || Number.isInteger(value / multipleOf) || fail(message));
  }
  return checks;
}

function lengthChecks({ minLength, maxLength }: JsonObject): Check[] {
  const checks: Check[] = [];
  if (typeof maxLength === "number") {
    const message = `must NOT have more than ${maxLength} characters`;
    checks.push((value) => typeof value !== "string" || isAtMost(value, maxLength) || fail(message));
  }
  if (typeof minLength === "number") {
    const message = `must NOT have fewer than ${minLength} characters`;
    checks.push((value) => typeof value !== "string" || !isAtMost(value, minLength - 1) || fail(message));
  }
  return checks;
}

/** Whether a text has at most so many characters, each of one or two units. */
function isAtMost(text: string, most: number): boolean {
  if (text.length <= most || text.length > 2 * most) return text.length <= most;
  spendSteps(text.length >> 3);
  let count = 0;
  for (const _ of text) if (++count > most) return false;
  return true;
}

const shownMax = 20;

function valuesMessage(values: JsonValue): string {
  const shown = (Array.isArray(values) ? values : []).slice(0, shownMax).map((value) => JSON.stringify(value));
  return `must be one of ${shown.join(", ")}`;
}

/** Values that are listed at a time. */
const valuesAtOnce = 500;

/** Listed values are looked up, however many there are. */
function* oneOfValues(values: readonly JsonValue[], words: () => string): Steps<Check> {
  const plain = new Set<JsonValue>();
  const written = new Set<string>();
  for (const [at, value] of values.entries()) {
    if (typeof value === "object" && value !== null) written.add(canonical(value, () => {}));
    else plain.add(value);
    if (at % valuesAtOnce === valuesAtOnce - 1) yield 20;
  }
  return (value) => {
    if (typeof value === "string") spendSteps(value.length >> 5);
    if (plain.has(value)) return true;
    if (written.size > 0 && typeof value === "object" && value !== null && written.has(canonical(value, spendSteps))) {
      return true;
    }
    return fail(words);
  };
}

/** A JSON value as text, equal for equal values whatever the order of their keys. Each part takes its steps. */
export function canonical(value: JsonValue, spend: (steps: number) => void): string {
  spend(typeof value === "string" ? 12 + (value.length >> 3) : 12);
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, spend)).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null, spend)}`).join(",")}}`;
}
