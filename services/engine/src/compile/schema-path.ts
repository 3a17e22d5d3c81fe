import { isJsonObject, type JsonObject, ownValue } from "../json.ts";

/** Where a path leaves a schema. */
export interface Contradiction {
  /** Which key of the path, from 0. */
  readonly at: number;
  /** What could stand there; empty where there is nothing below. */
  readonly names: readonly string[];
}

/** Stands for every item of a list. */
const everyItem = "*";

const composing = ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "patternProperties", "dependentSchemas"];

/**
 * Whether a path of keys can never exist under a JSON Schema: it names a property that a closed object does not have,
 * or goes on below a value that is no object. `*` stands for every item of a list. Undefined if it can, or where the
 * schema is composed of others.
 */
export function contradiction(schema: JsonObject, keys: readonly string[]): Contradiction | undefined {
  let level = schema;
  for (const [at, key] of keys.entries()) {
    if (composing.some((keyword) => Object.hasOwn(level, keyword))) return undefined;
    const type = level.type ?? "object";
    const types = Array.isArray(type) ? type : [type];
    if (key === everyItem && types.includes("array")) {
      if (!isJsonObject(level.items)) return undefined;
      level = level.items;
      continue;
    }
    if (!types.includes("object")) return { at, names: [] };
    const properties = isJsonObject(level.properties) ? level.properties : {};
    const next = ownValue(properties, key);
    if (next === undefined)
      return level.additionalProperties === false ? { at, names: Object.keys(properties) } : undefined;
    if (!isJsonObject(next)) return undefined;
    level = next;
  }
  return undefined;
}
