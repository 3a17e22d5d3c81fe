import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

/** Keywords that hold one schema, a list of them, or a map of them by name. */
export const single = [
  "additionalProperties",
  "contains",
  "contentSchema",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
];
export const listed = ["allOf", "anyOf", "oneOf", "prefixItems"];
export const mapped = ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];

/** What the value of a keyword must be. */
interface Form {
  readonly is: (value: JsonValue) => boolean;
  readonly words: string;
}

const isText = (value: JsonValue) => typeof value === "string";
const isCount = (value: JsonValue) => Number.isInteger(value) && Number(value) >= 0;
const isSchema = (value: JsonValue) => typeof value === "boolean" || isJsonObject(value);
const areNames = (value: JsonValue) =>
  Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
const jsonTypeNames = ["null", "boolean", "object", "array", "number", "string", "integer"];
const isType = (value: JsonValue) => typeof value === "string" && jsonTypeNames.includes(value);

const text: Form = { is: isText, words: "text" };
const count: Form = { is: isCount, words: "a whole number of at least 0" };
const number: Form = { is: (value) => typeof value === "number", words: "a number" };
const flag: Form = { is: (value) => typeof value === "boolean", words: "true or false" };
const schema: Form = { is: isSchema, words: "a schema" };
const anchor: Form = {
  is: (value) => typeof value === "string" && /^[A-Za-z_][-A-Za-z0-9._]*$/.test(value),
  words: "a name",
};
const names: Form = { is: areNames, words: "a list of different names" };
const anything: Form = { is: () => true, words: "anything" };
const mapOf = (is: Form["is"], words: string): Form => ({
  is: (value) => isJsonObject(value) && Object.values(value).every(is),
  words,
});

const each = (keys: readonly string[], form: Form) => keys.map((key) => [key, form] as const);

/** Every keyword of JSON Schema's draft 2020-12 that is understood here, and `nullable`, which OpenAPI knows. */
const forms: ReadonlyMap<string, Form> = new Map([
  ...each(single, schema),
  ...each(listed, {
    is: (value) => Array.isArray(value) && value.length > 0 && value.every(isSchema),
    words: "a list of schemas",
  }),
  ...each(mapped, mapOf(isSchema, "a map of schemas")),
  ...each(
    ["$comment", "$ref", "$dynamicRef", "contentEncoding", "contentMediaType", "description", "format", "pattern"],
    text,
  ),
  ...each(["title"], text),
  ...each(["$anchor", "$dynamicAnchor"], anchor),
  ["$id", { is: (value) => typeof value === "string" && !/#./.test(value), words: "an address without a fragment" }],
  [
    "$schema",
    {
      is: (value) => typeof value === "string" && /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(value),
      words: "https://json-schema.org/draft/2020-12/schema",
    },
  ],
  ["$vocabulary", mapOf((value) => typeof value === "boolean", "a map of true and false")],
  ...each(["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"], count),
  ...each(["minContains", "maxContains"], count),
  ...each(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], number),
  ["multipleOf", { is: (value) => typeof value === "number" && value > 0, words: "a number above 0" }],
  ...each(["deprecated", "nullable", "readOnly", "uniqueItems", "writeOnly"], flag),
  ["required", names],
  ["dependentRequired", mapOf(areNames, "a map of lists of names")],
  ["enum", { is: (value) => Array.isArray(value) && value.length > 0, words: "a list of values" }],
  ["examples", { is: (value) => Array.isArray(value), words: "a list" }],
  ...each(["const", "default"], anything),
  [
    "type",
    {
      is: (value) =>
        isType(value) || (areNames(value) && (value as string[]).length > 0 && (value as string[]).every(isType)),
      words: `one of ${jsonTypeNames.join(", ")}, or a list of them`,
    },
  ],
]);

/** Keywords that mean nothing without another one: they would be passed over in silence. */
const companions: readonly (readonly [keyword: string, others: readonly string[]])[] = [
  ["if", ["then", "else"]],
  ["then", ["if"]],
  ["else", ["if"]],
  ["minContains", ["contains"]],
  ["maxContains", ["contains"]],
  ["nullable", ["type"]],
];

/** What is wrong with the keywords of one part of a schema, not of the parts below it; undefined if nothing is. */
export function keywordProblem(part: JsonObject): string | undefined {
  for (const key of Object.keys(part)) {
    const form = forms.get(key);
    if (!form) return `unknown keyword: "${key}"`;
    if (!form.is(part[key] ?? null)) return `\`${key}\` must be ${form.words}`;
  }
  for (const [key, others] of companions) {
    if (!Object.hasOwn(part, key) || others.some((other) => Object.hasOwn(part, other))) continue;
    return `"${key}" without ${others.map((other) => `"${other}"`).join(" and ")} is ignored`;
  }
  if (part.minContains === 0 && part.maxContains === undefined) {
    return '"minContains" == 0 without "maxContains": "contains" is ignored';
  }
  return undefined;
}
