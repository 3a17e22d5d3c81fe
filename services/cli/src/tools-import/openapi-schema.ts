import type { JsonObject, JsonValue } from "@remit/engine";

const definitionsMax = 300;
const depthMax = 64;

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a JSON pointer of a document leads to: `#/components/schemas/Pet`. Undefined outside the document. */
function resolvePointer(root: JsonObject, ref: string): JsonValue | undefined {
  if (!ref.startsWith("#/")) return undefined;
  let value: JsonValue | undefined = root;
  for (const part of ref.slice(2).split("/")) {
    const key = decode(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = value[Number(key)];
    else value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** An object of a document, or the one that it refers to; references in a circle lead nowhere. */
export function dereferenced(root: JsonObject, value: JsonValue | undefined): JsonObject | undefined {
  let found = value;
  for (let hop = 0; isObject(found) && typeof found.$ref === "string"; hop++) {
    if (hop > 16) return undefined;
    found = resolvePointer(root, found.$ref);
  }
  return isObject(found) ? found : undefined;
}

/** Schemas of one operation, taken out of their document with everything that they refer to. */
export interface SchemaCollector {
  /** The schema with references to `$defs`. References to other documents stay, and lead nowhere. */
  take(schema: JsonValue): JsonValue;
  /** What was referred to so far, by name. */
  definitions(): JsonObject;
}

/** References may go in circles: each target is taken once, under a name of its own. */
export function schemaCollector(root: JsonObject): SchemaCollector {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const definitions: Record<string, JsonValue> = {};
  const nameFor = (ref: string): string => {
    const base = (decode(ref.split("/").at(-1) ?? "") || "schema").replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 80);
    let name = base;
    for (let number = 2; taken.has(name); number++) name = `${base}_${number}`;
    taken.add(name);
    names.set(ref, name);
    return name;
  };
  const reference = (ref: string): JsonValue => {
    const known = names.get(ref);
    if (known !== undefined) return `#/$defs/${known}`;
    const target = resolvePointer(root, ref);
    if (target === undefined || names.size >= definitionsMax) return ref.startsWith("#") ? `missing:${ref}` : ref;
    const name = nameFor(ref);
    definitions[name] = take(target, 0);
    return `#/$defs/${name}`;
  };
  const take = (value: JsonValue, depth: number): JsonValue => {
    if (typeof value !== "object" || value === null) return value;
    if (depth > depthMax) return {};
    if (Array.isArray(value)) return value.map((item) => take(item, depth + 1));
    const entries = Object.entries(value).map(([key, inner]) => {
      const isReference = key === "$ref" && typeof inner === "string";
      return [key, isReference ? reference(inner) : take(inner, depth + 1)] as const;
    });
    return Object.fromEntries(entries);
  };
  return { take: (schema) => take(schema, 0), definitions: () => definitions };
}
