import type { Json, JsonObject } from "./canonical.ts";

/** The value that a path such as `order.id` leads to; undefined where there is none. Lists have no paths into them. */
export function valueAt(root: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = root;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return;
    value = (value as JsonObject)[key];
  }
  return value;
}
