import type { JsonObject } from "../json.ts";
import { shapeOf } from "../typing/schema-shape.ts";
import { jsonTypes } from "../typing/shape.ts";

/** Where a path leaves a schema. */
export interface Contradiction {
  /** Which key of the path, from 0. */
  readonly at: number;
  /** What could stand there; empty where there is nothing below. */
  readonly names: readonly string[];
}

/** Stands for every item of a list. */
const everyItem = "*";

/**
 * Whether a path of keys can never exist under a JSON Schema: it names a property that a closed object does not have,
 * or goes on below a value that is no object. `*` stands for every item of a list. Undefined if it can.
 */
export function contradiction(schema: JsonObject, keys: readonly string[]): Contradiction | undefined {
  let shape = shapeOf(schema);
  for (const [at, key] of keys.entries()) {
    const below = key === everyItem && shape.types & jsonTypes.list ? shape.item() : shape.property(key);
    if (!below) return { at, names: shape.names() };
    shape = below;
  }
  return undefined;
}
