import { _, str } from "ajv";
import { Ajv2020, type AnySchema, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { compileRegex } from "../cel/regex.ts";
import { below } from "../documents/origin.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { isWork, schemaStepsMax, spendSteps, spendVisit, withinSteps, withWork, workKeyword } from "./schema-work.ts";

/** Undefined if the value is valid; otherwise where it is not, as `input.items.0`, and why. */
export type SchemaCheck = (value: JsonValue) => { readonly path: string; readonly message: string } | undefined;

const schemaDepthMax = 32;
const uniqueItemsMax = 10_000;

/** What is wrong with a JSON Schema, and where below it; undefined if nothing is. */
export function schemaProblem(schema: JsonObject): { pointer: string; message: string } | undefined {
  const own = firstOwnProblem(schema, "", 0);
  if (own) return own;
  try {
    compileOnce(schema);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { pointer: "", message: `not a valid JSON Schema: ${message}` };
  }
}

/** Compiles a schema that {@link schemaProblem} found nothing wrong with. `root` begins the paths in what it answers. */
export function compileSchema(schema: JsonObject, root: string): SchemaCheck {
  const validate = compileOnce(schema);
  return (value) => {
    const valid = withinSteps(() => validate(value));
    if (valid === true) return undefined;
    if (valid === "too much") return { path: root, message: `takes more than ${schemaStepsMax} steps to check` };
    const error = validate.errors?.[0];
    return error ? explainError(error, root) : { path: root, message: "is not valid" };
  };
}

let shared: Ajv2020 | undefined;

/** Making an Ajv compiles the draft's own schema, so there is one; it keeps none of the schemas it compiles. */
function compileOnce(schema: JsonObject): ValidateFunction {
  shared ??= newAjv();
  const measured = withWork(schema) as AnySchema;
  try {
    return shared.compile(measured);
  } finally {
    shared.removeSchema(measured);
  }
}

function newAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    // Formats are annotations, as the 2020-12 draft has them by default.
    validateFormats: false,
    // `toString` is not a property of an input that lacks it.
    ownProperties: true,
    addUsedSchema: false,
    logger: false,
    code: { regExp: linearRegExp },
  });
  ajv.addKeyword({
    keyword: workKeyword,
    schemaType: "object",
    // Before everything that leads to other parts.
    before: "$dynamicAnchor",
    code: ({ gen, data, schema }) => {
      if (!isWork(schema)) return;
      const spend = gen.scopeValue("func", { ref: spendVisit });
      gen.code(_`${spend}(${schema.visit}, ${schema.key}, ${schema.item}, ${data})`);
    },
  });
  for (const [keyword, holds, words] of [
    ["maxLength", (most: number, text: string) => isAtMost(text, most), "must NOT have more than"],
    ["minLength", (least: number, text: string) => !isAtMost(text, least - 1), "must NOT have fewer than"],
  ] as const) {
    // Ajv's own count the characters of any text, however long.
    ajv.removeKeyword(keyword);
    ajv.addKeyword({
      keyword,
      type: "string",
      schemaType: "number",
      validate: holds,
      error: { message: ({ schemaCode }) => str`${words} ${schemaCode} characters` },
    });
  }
  // Ajv compares every item with every other.
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    validate: (unique: boolean, items: JsonValue[]) => !unique || allDifferent(items),
    error: { message: "must not have equal items" },
  });
  return ajv;
}

function linearRegExp(pattern: string): { test: (text: string) => boolean; toString: () => string } {
  const regex = compileRegex(pattern);
  if ("problem" in regex) throw new Error(`pattern ${pattern}: ${regex.problem}`);
  const test = (text: string) => {
    spendSteps(regex.steps(text.length));
    return regex.search(text);
  };
  // Ajv tells patterns apart by their text.
  return { test, toString: () => pattern };
}
linearRegExp.code = "new RegExp";

function firstOwnProblem(
  value: JsonValue,
  pointer: string,
  depth: number,
): { pointer: string; message: string } | undefined {
  if (depth > schemaDepthMax) return { pointer, message: `a schema deeper than ${schemaDepthMax} levels` };
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const problem = firstOwnProblem(item, below(pointer, index), depth + 1);
      if (problem) return problem;
    }
  }
  if (!isJsonObject(value)) return undefined;
  if (typeof value.pattern === "string") {
    const regex = compileRegex(value.pattern);
    if ("problem" in regex) {
      return { pointer: below(pointer, "pattern"), message: `a pattern that is not supported: ${regex.problem}` };
    }
  }
  for (const key of Object.keys(value)) {
    if (["const", "enum", "default", "examples"].includes(key)) continue;
    const problem = firstOwnProblem(value[key] ?? null, below(pointer, key), depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

/** Whether a text has at most so many characters, each of one or two units. */
function isAtMost(text: string, most: number): boolean {
  if (text.length <= most || text.length > 2 * most) return text.length <= most;
  spendSteps(text.length >> 3);
  let count = 0;
  for (const _ of text) if (++count > most) return false;
  return true;
}

function allDifferent(items: readonly JsonValue[]): boolean {
  if (items.length > uniqueItemsMax) return false;
  return new Set(items.map(canonical)).size === items.length;
}

function canonical(value: JsonValue): string {
  spendSteps(typeof value === "string" ? 4 + (value.length >> 3) : 4);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join(",")}}`;
}

function explainError(error: ErrorObject, root: string): { path: string; message: string } {
  const segments = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const extra = error.keyword === "additionalProperties" || error.keyword === "unevaluatedProperties";
  const named: unknown = extra
    ? (error.params.additionalProperty ?? error.params.unevaluatedProperty)
    : error.params.missingProperty;
  if (typeof named === "string") segments.push(named);
  const path = [root, ...segments].join(".");
  if (extra) return { path, message: "is not a known property" };
  if (error.keyword === "required") return { path, message: "is missing" };
  if (error.keyword === "enum") {
    const allowed: unknown = error.params.allowedValues;
    const shown = Array.isArray(allowed)
      ? allowed
          .slice(0, 20)
          .map((item) => JSON.stringify(item))
          .join(", ")
      : "";
    return { path, message: `must be one of ${shown}` };
  }
  return { path, message: error.message ?? "is not valid" };
}
