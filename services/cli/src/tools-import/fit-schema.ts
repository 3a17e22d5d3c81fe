import type { JsonObject, JsonValue } from "@remit/engine";
import { oneLine } from "./plain-text.ts";

/** A schema that Remit can check inputs by, and what was left out of the one that was offered. */
export interface Fitted {
  readonly schema: JsonObject;
  /** One line each; empty when the schema stands as it was offered. */
  readonly losses: readonly string[];
}

/** What is wrong with a schema, and where; undefined if nothing is. The engine's own judgement. */
export type SchemaJudge = (schema: JsonObject) => { readonly pointer: string; readonly message: string } | undefined;

const schemaCharsMax = 256 * 1024;
/** A document has two levels above its schema, and 32 in all. */
const levelsMax = 28;
/** Deeper than anything that was written by hand; beyond, nothing of it is looked at. */
const levelsSeenMax = 500;
const mendingsMax = 60;
const lossesMax = 12;

// JSON Schema 2020-12: core, applicators, validation, annotations.
const keywords = new Set(
  (
    "$defs $ref $comment title description default examples deprecated readOnly writeOnly type enum const " +
    "multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems " +
    "uniqueItems maxContains minContains maxProperties minProperties required dependentRequired dependentSchemas " +
    "propertyNames properties patternProperties additionalProperties prefixItems items contains allOf anyOf oneOf not " +
    "if then else unevaluatedItems unevaluatedProperties format contentEncoding contentMediaType"
  ).split(" "),
);
const holdsSchema = new Set(
  "additionalProperties propertyNames items contains not if then else unevaluatedItems unevaluatedProperties".split(
    " ",
  ),
);
const holdsSchemas = new Set("allOf anyOf oneOf prefixItems".split(" "));
const holdsNamedSchemas = new Set("$defs properties patternProperties dependentSchemas".split(" "));

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const openObject: JsonObject = { type: "object" };

/**
 * The schema of an input as Remit takes it: draft 2020-12, references inside, patterns that run in linear time. Older
 * drafts and OpenAPI's ways are rewritten; what cannot be kept is left out and told. A schema that is beyond mending
 * becomes any object.
 */
export function fitSchema(offered: JsonObject, judge: SchemaJudge): Fitted {
  if (isDeeper(offered, levelsSeenMax)) return { schema: openObject, losses: ["the schema is nested too deep"] };
  if (isFit(offered, judge)) return { schema: offered, losses: [] };
  const losses: string[] = [];
  const lose = (what: string) => {
    if (losses.length < lossesMax && !losses.includes(what)) losses.push(what);
  };
  if (JSON.stringify(offered).length > schemaCharsMax) {
    return { schema: openObject, losses: ["the schema is too large to be checked"] };
  }
  let schema = rewrite(offered, "", 0, lose);
  if (schema.type !== "object") schema = { ...schema, type: "object" };
  for (let mending = 0; mending < mendingsMax; mending++) {
    const problem = judge(schema);
    if (!problem) return { schema, losses };
    const without = problem.pointer === "" ? undefined : withoutPointer(schema, problem.pointer.split("/").slice(1));
    if (!without) break;
    lose(`${place(problem.pointer)}: ${oneLine(problem.message, 120)}`);
    schema = without;
  }
  return { schema: openObject, losses: ["the schema cannot be checked by, so any object is accepted"] };
}

function isFit(schema: JsonObject, judge: SchemaJudge): boolean {
  if (schema.type !== "object" || isDeeper(schema, levelsMax)) return false;
  return JSON.stringify(schema).length <= schemaCharsMax && judge(schema) === undefined;
}

/** Whether a value has more levels than these; looks no further than that. */
function isDeeper(value: JsonValue, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels <= 0 || Object.values(value).some((inner: JsonValue) => isDeeper(inner, levels - 1));
}

function rewrite(schema: JsonObject, pointer: string, level: number, lose: (what: string) => void): JsonObject {
  if (level > levelsMax - 2) {
    lose(`${place(pointer)}: it is nested too deep`);
    return {};
  }
  const result: Record<string, JsonValue> = {};
  const inner = (value: JsonValue, key: string, levels: number): JsonValue =>
    isObject(value)
      ? rewrite(value, `${pointer}/${key}`, level + levels, lose)
      : typeof value === "boolean"
        ? value
        : {};
  for (const [key, value] of Object.entries(modern(schema))) {
    if (!keywords.has(key)) {
      if (!annotations.has(key) && !key.startsWith("x-")) lose(`${place(`${pointer}/${key}`)}: an unknown keyword`);
    } else if (holdsSchema.has(key)) result[key] = inner(value, key, 1);
    else if (holdsSchemas.has(key)) {
      if (Array.isArray(value) && value.length > 0)
        result[key] = value.map((item, at) => inner(item, `${key}/${at}`, 2));
    } else if (holdsNamedSchemas.has(key)) {
      if (isObject(value)) {
        const named = Object.entries(value).map(([name, item]) => [name, inner(item, `${key}/${name}`, 2)] as const);
        result[key] = Object.fromEntries(named);
      }
    } else if (isDeeper(value, levelsMax - level)) lose(`${place(`${pointer}/${key}`)}: it is nested too deep`);
    else result[key] = value;
  }
  if (typeof result.$ref === "string" && !/^#(?:\/|$)/.test(result.$ref)) {
    lose(`${place(`${pointer}/$ref`)}: a reference to another document`);
    delete result.$ref;
  }
  return result;
}

/** Says nothing about what is valid, or was said in another way before. */
const annotations = new Set("$schema $id id $anchor example discriminator xml externalDocs nullable".split(" "));

/** Older drafts and OpenAPI 3.0 in the words of 2020-12. */
function modern(schema: JsonObject): JsonObject {
  const { definitions, items, additionalItems, ...rest } = schema;
  const next: Record<string, JsonValue> = { ...rest };
  if (isObject(definitions)) next.$defs = { ...(isObject(next.$defs) ? next.$defs : {}), ...definitions };
  if (Array.isArray(items)) {
    next.prefixItems = items;
    if (additionalItems !== undefined) next.items = additionalItems;
  } else if (items !== undefined) next.items = items;
  if (typeof next.$ref === "string") next.$ref = next.$ref.replace(/^#\/definitions\//, "#/$defs/");
  for (const [limit, exclusive] of [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
  ] as const) {
    if (typeof next[exclusive] !== "boolean") continue;
    if (next[exclusive] && next[limit] !== undefined) {
      next[exclusive] = next[limit];
      delete next[limit];
    } else delete next[exclusive];
  }
  if (next.nullable === true && typeof next.type === "string") {
    next.type = [next.type, "null"];
    if (Array.isArray(next.enum) && !next.enum.includes(null)) next.enum = [...next.enum, null];
  }
  return next;
}

function withoutPointer(value: JsonObject, [key = "", ...rest]: readonly string[]): JsonObject | undefined {
  const name = key.replaceAll("~1", "/").replaceAll("~0", "~");
  const inner = Object.hasOwn(value, name) ? value[name] : undefined;
  if (inner === undefined) return undefined;
  if (rest.length === 0) return Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
  if (Array.isArray(inner)) {
    const [at = "", ...further] = rest;
    const item: JsonValue | undefined = inner[Number(at)];
    const mended = isObject(item) ? withoutPointer(item, further) : undefined;
    return mended && { ...value, [name]: inner.with(Number(at), mended) };
  }
  const mended = isObject(inner) ? withoutPointer(inner, rest) : undefined;
  return mended && { ...value, [name]: mended };
}

/** A JSON pointer for people: `properties.to.pattern`. */
function place(pointer: string): string {
  const shown = pointer.split("/").slice(1).join(".").replaceAll("~1", "/").replaceAll("~0", "~");
  return shown === "" ? "the schema" : oneLine(shown, 100);
}
