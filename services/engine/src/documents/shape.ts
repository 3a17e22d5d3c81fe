import { isJsonObject, type JsonObject, type JsonValue, jsonKind, setOwn } from "../json.ts";
import { nearestName } from "./nearest.ts";
import { below, type Report } from "./origin.ts";

/** Reads one value strictly: what it means, or undefined after saying what is wrong with it. */
export interface Reader<T> {
  (value: JsonValue, pointer: string, report: Report): T | undefined;
  /** The same for editors, as JSON Schema: whatever the reader takes fits it. Absent: anything. */
  readonly schema?: JsonObject;
}

/** A reader with its schema. */
export function described<T>(schema: JsonObject, read: Reader<T>): Reader<T> {
  return Object.assign<Reader<T>, { schema: JsonObject }>((value, pointer, report) => read(value, pointer, report), {
    schema,
  });
}

/** Goes on with what a reader has read. `more` adds to its schema. */
export function refined<T, U>(
  shape: Reader<T>,
  then: (read: T, value: JsonValue, pointer: string, report: Report) => U | undefined,
  more: JsonObject = {},
): Reader<U> {
  return described({ ...shape.schema, ...more }, (value, pointer, report) => {
    const read = shape(value, pointer, report);
    return read === undefined ? undefined : then(read, value, pointer, report);
  });
}

/** A text or a map, each with a reader of its own: what the author wrote says which is meant. */
export function choiceOf<T, U>(texts: Reader<T>, maps: Reader<U>): Reader<T | U> {
  return described({ anyOf: [texts.schema ?? {}, maps.schema ?? {}] }, (value, pointer, report) =>
    isJsonObject(value) ? maps(value, pointer, report) : texts(value, pointer, report),
  );
}

interface Field<T, Need extends boolean> {
  readonly read: Reader<T>;
  readonly required: Need;
}

type Fields = Readonly<Record<string, Field<unknown, boolean>>>;
type Read<F> = F extends Field<infer T, boolean> ? T : never;
type Shaped<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Field<unknown, true> ? K : never]: Read<F[K]>;
} & { readonly [K in keyof F as F[K] extends Field<unknown, true> ? never : K]?: Read<F[K]> };

export function required<T>(read: Reader<T>): Field<T, true> {
  return { read, required: true };
}

export function optional<T>(read: Reader<T>): Field<T, false> {
  return { read, required: false };
}

/** A map with exactly these keys. Every key is read even when another is wrong, so that all problems show at once. */
export function record<F extends Fields>(fields: F): Reader<Shaped<F>> {
  const names = Object.keys(fields);
  return described(recordSchema(fields), (value, pointer, report) => {
    if (!isJsonObject(value)) return wrongKind(value, `a map with ${names.join(", ")}`, pointer, report);
    let whole = true;
    const shaped: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (!field) {
        report(below(pointer, key), `unknown key \`${shown(key)}\``, {
          code: "key_unknown",
          atKey: true,
          expected: names.join(", "),
          nearest: () => nearestName(key, names),
        });
        whole = false;
        continue;
      }
      const read = field.read(value[key] ?? null, below(pointer, key), report);
      if (read === undefined) whole = false;
      else shaped[key] = read;
    }
    for (const name of names) {
      if (!fields[name]?.required || Object.hasOwn(value, name)) continue;
      report(pointer, `\`${name}\` is missing`, { code: "key_missing", atKey: true });
      whole = false;
    }
    return whole ? (shaped as Shaped<F>) : undefined;
  });
}

function recordSchema(fields: Fields): JsonObject {
  const entries = Object.entries(fields);
  const needed = entries.filter(([, field]) => field.required).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, { read }]) => [name, read.schema ?? {}])),
    ...(needed.length > 0 && { required: needed }),
    additionalProperties: false,
  };
}

/** What a text must be: a regular expression that JSON Schema can say too, a test that it cannot, or both. */
export interface TextRule {
  readonly pattern?: string;
  readonly test?: (text: string) => boolean;
  readonly expected: string;
}

/** Whether a text is what the rule asks for. */
function textTest({ pattern, test }: TextRule): (text: string) => boolean {
  const regex = pattern === undefined ? undefined : new RegExp(pattern);
  return (value) => (regex?.test(value) ?? true) && (test?.(value) ?? true);
}

const charsMaxDefault = 4096;

const shownCharsMax = 100;

/** A text as messages show it. */
function shown(value: string): string {
  return value.length > shownCharsMax ? `${value.slice(0, shownCharsMax)}…` : value;
}

export function text(rule?: TextRule, charsMax = charsMaxDefault): Reader<string> {
  const fits = rule && textTest(rule);
  const schema = {
    ...{ type: "string", minLength: 1, maxLength: charsMax },
    ...(rule?.pattern !== undefined && { pattern: rule.pattern }),
    ...(rule && { description: rule.expected }),
  };
  return described(schema, (value, pointer, report) => {
    if (typeof value !== "string") return wrongKind(value, rule?.expected ?? "text", pointer, report);
    if (value.length > charsMax) {
      report(pointer, `text of ${value.length} characters`, { expected: `at most ${charsMax} characters` });
      return undefined;
    }
    if (value === "" || (fits && !fits(value))) {
      report(pointer, value === "" ? "the text is empty" : `\`${shown(value)}\` is not valid here`, {
        expected: rule?.expected ?? "text that is not empty",
      });
      return undefined;
    }
    return value;
  });
}

export function integer(min: number, max: number): Reader<number> {
  return described({ type: "integer", minimum: min, maximum: max }, (value, pointer, report) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    return wrongKind(value, `a whole number from ${min} to ${max}`, pointer, report);
  });
}

export const finiteNumber: Reader<number> = described({ type: "number" }, (value, pointer, report) =>
  typeof value === "number" ? value : wrongKind(value, "a number", pointer, report),
);

export const flag: Reader<boolean> = described({ type: "boolean" }, (value, pointer, report) =>
  typeof value === "boolean" ? value : wrongKind(value, "true or false", pointer, report),
);

export const scalar: Reader<string | number | boolean> = described(
  { type: ["string", "number", "boolean"] },
  (value, pointer, report) =>
    value !== null && typeof value !== "object"
      ? (value as string | number | boolean)
      : wrongKind(value, "text, a number, true or false", pointer, report),
);

export const anyJson: Reader<JsonValue> = (value) => value;

export const anyObject: Reader<JsonObject> = described({ type: "object" }, (value, pointer, report) =>
  isJsonObject(value) ? value : wrongKind(value, "a map", pointer, report),
);

export function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return described({ enum: words }, (value, pointer, report) => {
    if (words.includes(value as T)) return value as T;
    const nearest = typeof value === "string" ? nearestName(value, words) : undefined;
    report(
      pointer,
      typeof value === "string" ? `unknown value \`${shown(value)}\`` : `${jsonKind(value)} is not valid here`,
      {
        expected: words.join(", "),
        nearest,
      },
    );
    return undefined;
  });
}

/** A list of `min` to `max` items. */
export function listOf<T>(read: Reader<T>, min: number, max: number): Reader<readonly T[]> {
  const schema = { type: "array", items: read.schema ?? {}, minItems: min, maxItems: max };
  return described(schema, (value, pointer, report) => {
    if (!Array.isArray(value)) return wrongKind(value, "a list", pointer, report);
    if (value.length < min || value.length > max) {
      report(pointer, `a list of ${value.length} items`, { expected: `${min} to ${max} items` });
      return undefined;
    }
    const items = value.map((item, index) => read(item, below(pointer, index), report));
    return items.includes(undefined) ? undefined : (items as readonly T[]);
  });
}

/** One item or a list of them; a list in any case. */
export function oneOrList<T>(read: Reader<T>, max: number): Reader<readonly T[]> {
  const list = listOf(read, 1, max);
  return described({ anyOf: [read.schema ?? {}, list.schema ?? {}] }, (value, pointer, report) => {
    if (Array.isArray(value)) return list(value, pointer, report);
    const item = read(value, pointer, report);
    return item === undefined ? undefined : [item];
  });
}

/** A map with free keys. */
export function mapOf<T>(key: TextRule, read: Reader<T>, max: number): Reader<Readonly<Record<string, T>>> {
  const fits = textTest(key);
  const schema = {
    ...{ type: "object", additionalProperties: read.schema ?? {}, maxProperties: max },
    ...(key.pattern !== undefined && { propertyNames: { pattern: key.pattern } }),
  };
  return described(schema, (value, pointer, report) => {
    if (!isJsonObject(value)) return wrongKind(value, "a map", pointer, report);
    const names = Object.keys(value);
    let whole = names.length <= max;
    if (!whole) report(pointer, `a map of ${names.length} keys`, { expected: `at most ${max} keys` });
    const mapped: Record<string, T> = {};
    for (const name of names) {
      if (!fits(name)) {
        report(below(pointer, name), `\`${shown(name)}\` is not valid here`, { atKey: true, expected: key.expected });
        whole = false;
      }
      const read1 = read(value[name] ?? null, below(pointer, name), report);
      if (read1 === undefined) whole = false;
      else setOwn(mapped, name, read1);
    }
    return whole ? mapped : undefined;
  });
}

function wrongKind(value: JsonValue, expected: string, pointer: string, report: Report): undefined {
  const given = typeof value === "number" || typeof value === "boolean" ? `\`${value}\`` : jsonKind(value);
  report(pointer, `${given} is not valid here`, { expected });
  return undefined;
}
