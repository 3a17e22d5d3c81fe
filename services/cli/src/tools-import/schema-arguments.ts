import type { JsonObject, JsonValue } from "@remit/engine";

/** One argument of a tool, at any depth. */
export interface Argument {
  /** `input.to.iban`, without the `input.`. */
  readonly path: string;
  readonly name: string;
  readonly text: string;
  readonly choices: readonly string[];
  readonly format: string;
}

const argumentsMax = 400;
const depthMax = 6;

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

/** The arguments that a schema names, the outer ones first; what it hides behind references or combinations too. */
export function argumentsOf(schema: JsonObject): Argument[] {
  const found: Argument[] = [];
  const waiting: { schema: JsonObject; path: string; depth: number }[] = [{ schema, path: "", depth: 0 }];
  const seen = new Set<JsonObject>();
  for (let next = waiting.shift(); next && found.length < argumentsMax; next = waiting.shift()) {
    const { schema: level, path, depth } = next;
    if (seen.has(level) || depth > depthMax) continue;
    seen.add(level);
    for (const [name, property] of Object.entries(isObject(level.properties) ? level.properties : {})) {
      if (!isObject(property)) continue;
      const inner = path === "" ? name : `${path}.${name}`;
      found.push(argument(inner, name, property));
      waiting.push({ schema: property, path: inner, depth: depth + 1 });
    }
    for (const inner of innerSchemas(level, schema)) waiting.push({ schema: inner, path, depth: depth + 1 });
  }
  return found.slice(0, argumentsMax);
}

function argument(path: string, name: string, schema: JsonObject): Argument {
  const listed = isObject(schema.items) ? schema.items : {};
  const choices = [schema.enum, listed.enum].flatMap((list) => (Array.isArray(list) ? list : []));
  return {
    path,
    name,
    text: [textOf(schema.title), textOf(schema.description)].join(" ").trim(),
    choices: [...choices, schema.const].filter((choice) => typeof choice === "string").slice(0, 200),
    format: textOf(schema.format),
  };
}

function innerSchemas(level: JsonObject, root: JsonObject): JsonObject[] {
  const inner = [
    level.items,
    level.additionalProperties,
    ...["allOf", "anyOf", "oneOf"].flatMap((key) => level[key] ?? []),
  ];
  const target = referred(level.$ref, root);
  return [...inner.flat(), target].filter(isObject);
}

function referred(ref: JsonValue | undefined, root: JsonObject): JsonObject | undefined {
  const [, holder, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(textOf(ref)) ?? [];
  const definitions = holder === undefined ? undefined : root[holder];
  const target = isObject(definitions) && name !== undefined ? definitions[name] : undefined;
  return isObject(target) ? target : undefined;
}

/** Every text of a schema that a model may be shown: titles, descriptions, choices, defaults, names. */
export function textsOf(schema: JsonValue, depth = 0): string[] {
  if (typeof schema === "string") return [schema];
  if (typeof schema !== "object" || schema === null || depth > 32) return [];
  if (Array.isArray(schema)) return schema.slice(0, 1000).flatMap((item) => textsOf(item, depth + 1));
  return Object.entries(schema).flatMap(([key, value]) => [key, ...textsOf(value, depth + 1)]);
}
