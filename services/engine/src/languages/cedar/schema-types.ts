import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";

/** A type of a Cedar schema, with the common types put in. */
export type CedarType =
  | { readonly kind: "String" | "Long" | "Bool" | "decimal" | "ipaddr" | "datetime" | "duration" }
  | { readonly kind: "Set"; readonly element: CedarType }
  | { readonly kind: "Record"; readonly attributes: Attributes }
  | { readonly kind: "Entity"; readonly name: string };

export type Attributes = Readonly<Record<string, { readonly type: CedarType; readonly required: boolean }>>;

export interface CedarEntity {
  readonly attributes: Attributes;
  readonly tagged: boolean;
}

export interface CedarAction {
  readonly principals: readonly string[];
  readonly resources: readonly string[];
  readonly context: Attributes;
  readonly groups: readonly string[];
}

export interface CedarSchema {
  readonly entities: ReadonlyMap<string, CedarEntity>;
  /** Those that apply to something. */
  readonly actions: ReadonlyMap<string, CedarAction>;
  /** Other namespaces than the nameless one. */
  readonly namespaces: readonly string[];
  /** The groups that each action is in, itself a group or not. */
  readonly groupParents: ReadonlyMap<string, readonly string[]>;
}

const scalars = ["String", "Long", "Bool", "decimal", "ipaddr", "datetime", "duration"] as const;

/** What a schema in Cedar's JSON format says. It has been parsed and resolved by Cedar, so its parts are there. */
export function readSchema(json: JsonObject): CedarSchema {
  const space = objectAt(json, "");
  const common = readingOnce(objectAt(space, "commonTypes"));
  const read = (type: JsonValue): CedarType => readType(type, common);
  const entities = new Map<string, CedarEntity>();
  for (const [name, entity] of Object.entries(objectAt(space, "entityTypes"))) {
    const { shape = { type: "Record", attributes: {} }, tags } = entity as JsonObject;
    entities.set(name, { attributes: attributesOf(read(shape)), tagged: tags !== undefined });
  }
  const actions = new Map<string, CedarAction>();
  const groupParents = new Map<string, readonly string[]>();
  for (const [name, action] of Object.entries(objectAt(space, "actions"))) {
    const { appliesTo, memberOf } = action as JsonObject;
    const groups = Array.isArray(memberOf) ? memberOf.map((group: JsonObject) => String(group.id)) : [];
    groupParents.set(name, groups);
    if (!isJsonObject(appliesTo) || textsOf(appliesTo.principalTypes).length === 0) continue;
    actions.set(name, {
      principals: textsOf(appliesTo.principalTypes),
      resources: textsOf(appliesTo.resourceTypes),
      context: attributesOf(read(appliesTo.context ?? { type: "Record", attributes: {} })),
      groups,
    });
  }
  return { entities, actions, groupParents, namespaces: Object.keys(json).filter((name) => name !== "") };
}

/** The common types by their names. Each is read once, however many others have it: they may double with each level. */
type Common = (name: string) => CedarType | undefined;

function readingOnce(declared: JsonObject): Common {
  const read = new Map<string, CedarType>();
  const common: Common = (name) => {
    if (!Object.hasOwn(declared, name)) return undefined;
    const type = read.get(name) ?? readType(declared[name] ?? null, common);
    read.set(name, type);
    return type;
  };
  return common;
}

/** How deep records and sets of types lie in each other, and how many there are with each common type as often as it is had. */
export interface Extent {
  readonly depth: number;
  readonly size: number;
}

function extentOf(types: readonly CedarType[], known: Map<CedarType, Extent>): Extent {
  let [depth, size] = [0, 0];
  for (const type of types) {
    const inside = type.kind === "Set" ? [type.element] : typesOf(attributesOf(type));
    const found = known.get(type) ?? extentOf(inside, known);
    known.set(type, found);
    depth = Math.max(depth, found.depth + 1);
    size += found.size + 1;
  }
  return { depth, size };
}

const typesOf = (attributes: Attributes) => Object.values(attributes).map(({ type }) => type);

/** Of all that a schema declares: Cedar puts the common types in before it looks at them. */
export function schemaExtent({ entities, actions }: CedarSchema): Extent {
  const declared = [
    ...[...entities.values()].map(({ attributes }) => attributes),
    ...[...actions.values()].map(({ context }) => context),
  ];
  return extentOf(declared.flatMap(typesOf), new Map());
}

function readType(type: JsonValue, common: Common): CedarType {
  const { type: name, element, attributes, name: entity } = isJsonObject(type) ? type : {};
  if (name === "Set") return { kind: "Set", element: readType(element ?? null, common) };
  if (name === "Record") return { kind: "Record", attributes: readAttributes(attributes ?? {}, common) };
  if (name === "Entity") return { kind: "Entity", name: String(entity) };
  const word = String(name === "Extension" || name === "EntityOrCommon" ? entity : name).replace(/^__cedar::/, "");
  const declared = common(word);
  if (declared) return declared;
  if (word === "Boolean") return { kind: "Bool" };
  const scalar = scalars.find((kind) => kind === word);
  return scalar ? { kind: scalar } : { kind: "Entity", name: word };
}

function readAttributes(attributes: JsonValue, common: Common): Attributes {
  return Object.fromEntries(
    Object.entries(isJsonObject(attributes) ? attributes : {}).map(([name, attribute]) => {
      const required = !(isJsonObject(attribute) && attribute.required === false);
      return [name, { type: readType(attribute, common), required }];
    }),
  );
}

function attributesOf(type: CedarType): Attributes {
  return type.kind === "Record" ? type.attributes : {};
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return isJsonObject(value) ? value : {};
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
