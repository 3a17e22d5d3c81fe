import { isJsonObject, type JsonObject, type JsonValue, ownValue } from "../json.ts";
import { anything, byName, everyType, jsonTypes, meet, once, type Shape, type TypeSet, union } from "./shape.ts";

const shapes = new WeakMap<JsonObject, Shape>();

/**
 * What a JSON Schema, draft 2020-12, says of the input or the context of a call, which is always an object. It follows `type`, `nullable`, `enum`, `const`, `properties`,
 * `additionalProperties`, `items`, the bounds of sizes, references into the schema itself, `allOf`, `anyOf` and `oneOf`.
 * What other keywords forbid beyond that is not known here: a shape permits at least what its schema permits. A schema
 * that nothing fits says nothing.
 */
export function shapeOf(schema: JsonObject): Shape {
  let shape = shapes.get(schema);
  if (!shape) {
    shape = rootShape(schema);
    shapes.set(schema, shape);
  }
  return shape;
}

const anyObject: Shape = { ...anything, types: jsonTypes.map };

/** A schema being read: its root, for references, and what was read already. */
interface Reading {
  readonly root: JsonObject;
  readonly known: Map<JsonObject, Shape | undefined>;
  /** What is being read: a schema that refers to itself without a step down says nothing more by that. */
  readonly open: Set<JsonObject>;
  readonly ints: boolean;
  /** A part with an id of its own begins another scope of references, and those are not followed. */
  readonly follows: boolean;
}

function rootShape(root: JsonObject): Shape {
  const text = JSON.stringify(root);
  const { $id: _, ...rest } = root;
  const follows = !text.includes('"$id"') || !JSON.stringify(rest).includes('"$id"');
  const reading: Reading = { root, known: new Map(), open: new Set(), ints: text.includes('"integer"'), follows };
  return meet(read(root, reading) ?? anything, anyObject) ?? anyObject;
}

function read(schema: JsonValue | undefined, reading: Reading): Shape | undefined {
  if (schema === false) return undefined;
  if (!isJsonObject(schema) || reading.open.has(schema)) return anything;
  if (reading.known.has(schema)) return reading.known.get(schema);
  reading.open.add(schema);
  const shape = compose(schema, reading);
  reading.open.delete(schema);
  reading.known.set(schema, shape);
  return shape;
}

function compose(schema: JsonObject, reading: Reading): Shape | undefined {
  const parts = [
    ownShape(schema, reading),
    ...(typeof schema.$ref === "string" ? [read(referred(schema.$ref, reading), reading)] : []),
    ...listed(schema.allOf).map((part) => read(part, reading)),
    ...["anyOf", "oneOf"]
      .map((key) => listed(schema[key]))
      .filter((alternatives) => alternatives.length > 0)
      .map((alternatives) =>
        union(
          alternatives.map((alternative) => read(alternative, reading)),
          { apart: false },
        ),
      ),
  ];
  return parts.reduce<Shape | undefined>((all, part) => all && part && meet(all, part), anything);
}

function listed(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** What a reference inside the schema names; undefined, which says nothing, for any other. */
function referred(reference: string, { root, follows }: Reading): JsonValue | undefined {
  if (!follows || !/^#(\/|$)/.test(reference)) return undefined;
  let at: JsonValue | undefined = root;
  for (const step of reference.split("/").slice(1)) {
    const key = decoded(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(at)) at = at[Number(key)];
    else at = isJsonObject(at) ? ownValue(at, key) : undefined;
  }
  return at;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

const typeBits: Readonly<Record<string, TypeSet>> = {
  null: jsonTypes.null,
  boolean: jsonTypes.bool,
  integer: jsonTypes.int,
  number: jsonTypes.double,
  string: jsonTypes.string,
  array: jsonTypes.list,
  object: jsonTypes.map,
};

function declaredTypes({ type, nullable }: JsonObject): TypeSet {
  if (type === undefined) return everyType;
  const names = Array.isArray(type) ? type : [type];
  const types = names.reduce(
    (all, name) => all | (typeBits[String(name)] ?? 0),
    nullable === true ? jsonTypes.null : 0,
  );
  return types & jsonTypes.double ? types & ~jsonTypes.int : types;
}

/** The types of the values that are listed, numbers as they are declared. */
function typesOf(values: readonly JsonValue[], declared: TypeSet): TypeSet {
  return values.reduce<TypeSet>((types, value) => {
    if (value === null) return types | jsonTypes.null;
    if (typeof value === "number") return types | (declared & (jsonTypes.int | jsonTypes.double));
    if (typeof value === "boolean") return types | jsonTypes.bool;
    if (typeof value === "string") return types | jsonTypes.string;
    return types | (Array.isArray(value) ? jsonTypes.list : jsonTypes.map);
  }, 0);
}

function listedValues(schema: JsonObject, declared: TypeSet): readonly JsonValue[] | undefined {
  if (Object.hasOwn(schema, "const")) return [schema.const ?? null];
  if (Array.isArray(schema.enum)) return schema.enum;
  return declared === jsonTypes.null ? [null] : undefined;
}

/** Longer lists are not compared with what conditions say: they are looked up when a call is checked. */
const valuesMax = 1000;

function isComparable(all: readonly JsonValue[]): boolean {
  return all.length <= valuesMax && all.every((value) => typeof value !== "object" || value === null);
}

function bound(value: JsonValue | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** What a schema says without the others that it names. */
function ownShape(schema: JsonObject, reading: Reading): Shape | undefined {
  const declared = declaredTypes(schema);
  const all = listedValues(schema, declared);
  const types = all ? typesOf(all, declared) & declared : declared;
  if (types === 0) return undefined;
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  return {
    types,
    // Lists and maps are not compared with what is listed: their parts may be listed elsewhere.
    values: all && isComparable(all) ? all : undefined,
    property: byName((name) => (types & jsonTypes.map ? ownProperty(name, schema, properties, reading) : undefined)),
    item: once(() => {
      if (!(types & jsonTypes.list)) return undefined;
      // Where places of a list differ, nothing is said of its items.
      return schema.prefixItems === undefined && schema.items !== undefined ? read(schema.items, reading) : anything;
    }),
    names: () => (types & jsonTypes.map ? Object.keys(properties) : []),
    ints: reading.ints,
    most: { chars: bound(schema.maxLength), items: bound(schema.maxItems), keys: keysMost(schema, properties) },
    width: 1,
  };
}

function ownProperty(name: string, schema: JsonObject, properties: JsonObject, reading: Reading): Shape | undefined {
  const known = ownValue(properties, name);
  if (known !== undefined) return read(known, reading);
  if (isJsonObject(schema.patternProperties)) return anything;
  return schema.additionalProperties === undefined ? anything : read(schema.additionalProperties, reading);
}

function keysMost(schema: JsonObject, properties: JsonObject): number | undefined {
  const closed = schema.additionalProperties === false && !isJsonObject(schema.patternProperties);
  const most = bound(schema.maxProperties);
  return closed ? Math.min(most ?? Number.POSITIVE_INFINITY, Object.keys(properties).length) : most;
}
