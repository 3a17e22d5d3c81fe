import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

/** A bound on the work of checking one value against a schema: a few milliseconds at most. */
export const schemaStepsMax = 150_000;

/** Thrown where checking a value takes more than {@link schemaStepsMax} steps; Ajv passes it on. */
const tooMuch = new Error("a check that takes too many steps");

// A schema itself is checked when it is compiled, and that is not bounded here.
let steps = Number.POSITIVE_INFINITY;

/** Takes steps from the check under way. */
export function spendSteps(count: number): void {
  steps -= count;
  if (steps < 0) throw tooMuch;
}

/** What a check answers; "too much" if it takes more steps than there are, or refers to itself without end. */
export function withinSteps<T>(check: () => T): T | "too much" {
  steps = schemaStepsMax;
  try {
    return check();
  } catch (error) {
    if (error === tooMuch || error instanceof RangeError) return "too much";
    throw error;
  } finally {
    steps = Number.POSITIVE_INFINITY;
  }
}

/** The keyword that stands in every part of a schema that is compiled, and takes the steps of a visit. */
export const workKeyword = "$work";

/** The steps of a visit, and of each key of an object or each eight items of a list that is visited. */
interface Work {
  readonly visit: number;
  readonly key: number;
  readonly item: number;
}

/** Takes the steps of a visit. Called by what Ajv makes of {@link workKeyword}. */
export function spendVisit(visit: number, key: number, item: number, value: unknown): void {
  spendSteps(visit);
  if ((key === 0 && item === 0) || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) spendSteps(item * (value.length >> 3));
  else if (key > 0) for (const _ in value) spendSteps(key);
}

export function isWork(value: unknown): value is Work {
  return isJsonObject(value) && typeof value.visit === "number";
}

/** One part is tried of several, and makes errors when it fails: that costs more than a part that must fit. */
const branchSteps = 8;

const single = ["items", "contains", "not", "if", "then", "else", "propertyNames", "additionalProperties"];
const branches = ["contains", "not", "if", "anyOf", "oneOf"];
const unevaluated = ["unevaluatedItems", "unevaluatedProperties"];
const mapped = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
const listed = ["prefixItems", "allOf", "anyOf", "oneOf"];
/** What is so quick that the part above pays for it. */
const cheap = ["type", "nullable", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const notes = [
  "title",
  "description",
  "format",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
  "$comment",
];

function isCheap(part: JsonValue | undefined): boolean {
  if (!isJsonObject(part)) return true;
  return Object.keys(part).every((key) => cheap.includes(key) || notes.includes(key));
}

/** What looks at each key of an object. */
const perKey = ["additionalProperties", "patternProperties", "propertyNames", "unevaluatedProperties", "maxProperties"];

/**
 * A copy of a schema with the work of each of its parts. Throws where a part could be reached that has none: a reference
 * into what is no schema.
 */
export function withWork(schema: JsonObject): JsonObject {
  const parts = new Set<JsonValue>();
  const copy = partWithWork(schema, 0, parts);
  checkReferences(schema, schema, parts);
  return copy as JsonObject;
}

function partWithWork(part: JsonValue, more: number, parts: Set<JsonValue>): JsonValue {
  if (!isJsonObject(part)) return part;
  if (Object.hasOwn(part, workKeyword)) throw new Error(`strict mode: unknown keyword: "${workKeyword}"`);
  parts.add(part);
  const copy: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(part)) {
    // They say nothing of a value, and could hide another schema.
    if (key === "default" || key === "examples") continue;
    const extra = branches.includes(key) ? branchSteps : 0;
    if (single.includes(key) || unevaluated.includes(key)) copy[key] = partWithWork(value, extra, parts);
    else if (listed.includes(key) && Array.isArray(value)) {
      copy[key] = value.map((item) => partWithWork(item, extra, parts));
    } else if (mapped.includes(key) && isJsonObject(value)) {
      copy[key] = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, partWithWork(item, 0, parts)]));
    } else copy[key] = value;
  }
  if (more > 0 || !isCheap(part)) copy[workKeyword] = { ...workOf(part, more) };
  return copy;
}

function workOf(part: JsonObject, more: number): Work {
  const { properties, required, dependentRequired, patternProperties } = part;
  const names = sizeOf(properties) + sizeOf(required) + sizeOf(dependentRequired);
  const values = Object.hasOwn(part, "const") ? [part.const ?? null] : Array.isArray(part.enum) ? part.enum : [];
  const compared = values.length === 0 ? 0 : values.length + (JSON.stringify(values).length >> 6);
  const key = perKey.some((keyword) => Object.hasOwn(part, keyword)) ? 2 + sizeOf(patternProperties) : 0;
  const item = part.items !== undefined && isCheap(part.items) ? 1 : 0;
  return { visit: 1 + more + (names >> 1) + (compared >> 2), key, item };
}

function sizeOf(value: JsonValue | undefined): number {
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : 0;
}

/** Every reference by a path leads to a part that takes its steps, and no part begins where no path leads. */
function checkReferences(value: JsonValue, root: JsonObject, parts: ReadonlySet<JsonValue>): void {
  if (Array.isArray(value)) for (const item of value) checkReferences(item, root, parts);
  if (!isJsonObject(value)) return;
  const isPart = parts.has(value);
  for (const [key, item] of Object.entries(value)) {
    if (key === "default" || key === "examples") continue;
    if (isPart && key === "$ref" && typeof item === "string" && item.startsWith("#/") && !parts.has(at(root, item))) {
      throw new Error(`the reference ${item} does not lead to a schema`);
    }
    if (isPart && (key === "const" || key === "enum") && /"\$(id|anchor|dynamicAnchor)":/.test(JSON.stringify(item))) {
      throw new Error(`\`${key}\` of this schema holds what looks like another schema`);
    }
    checkReferences(item, root, parts);
  }
}

function at(root: JsonObject, reference: string): JsonValue {
  let value: JsonValue | undefined = root;
  for (const step of reference.split("/").slice(1)) {
    const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = value[Number(key)];
    else value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value ?? null;
}
