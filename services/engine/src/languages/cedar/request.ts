import type { Frame } from "../../cel/frame.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import { factsDocument } from "../facts-document.ts";
import { type Size, toCedar, toRecord, Unrepresentable } from "./convert.ts";
import { type EntityName, entityRoots, isFactEntity } from "./facts-schema.ts";
import type { CedarAction, CedarEntity, CedarSchema } from "./schema-types.ts";

interface Uid {
  readonly type: string;
  readonly id: string;
}

/** What Cedar is asked, in its JSON format, and how much of it there is. */
export interface CedarRequest {
  readonly principal: Uid;
  readonly action: Uid;
  readonly resource: Uid;
  readonly context: JsonObject;
  readonly entities: readonly JsonValue[];
  readonly size: Size;
}

/**
 * A call as Cedar's request: the agent asks for the action that is the tool, on the tool; every other fact that the
 * schema declares is in the context.
 *
 * @throws Unrepresentable
 */
export function cedarRequest(frame: Frame, schema: CedarSchema): CedarRequest {
  const facts = factsDocument(frame);
  const tool = frame.facts.call.tool;
  const action = schema.actions.get(tool);
  if (!action) throw new Unrepresentable(`the schema has no action for the tool ${tool}`);
  const size: Size = { values: 0, chars: 0 };
  const context: Record<string, JsonValue> = {};
  const entities: JsonValue[] = [];
  for (const name of ["Agent", "Tool"] as const) entities.push(entityOf(name, facts, schema.entities.get(name), size));
  for (const [root, { type, required }] of Object.entries(action.context)) {
    const fact = facts[root];
    if (type.kind === "Entity" && isFactEntity(type.name)) {
      context[root] = { __entity: { ...uidOf(type.name, facts) } };
      if (type.name === "Agent" || type.name === "Tool") continue;
      entities.push(entityOf(type.name, facts, schema.entities.get(type.name), size));
    } else if (fact !== undefined) context[root] = toCedar(fact, type, root, size);
    else if (required) throw new Unrepresentable(`${root} is missing`);
  }
  entities.push(...actionEntities(tool, action, schema));
  return {
    principal: uidOf("Agent", facts),
    action: { type: "Action", id: tool },
    resource: uidOf("Tool", facts),
    context,
    entities,
    size,
  };
}

function uidOf(name: EntityName, facts: JsonObject): Uid {
  const fact = facts[entityRoots[name]];
  const { id, name: called } = isJsonObject(fact) ? fact : {};
  const key = name === "Tool" ? called : id;
  if (typeof key !== "string") throw new Unrepresentable(`${entityRoots[name]} has no name`);
  return { type: name, id: key };
}

function entityOf(name: EntityName, facts: JsonObject, entity: CedarEntity | undefined, size: Size): JsonValue {
  const root = entityRoots[name];
  const fact = facts[root] ?? null;
  const attrs = toRecord(fact, entity?.attributes ?? {}, root, size);
  const labels = isJsonObject(fact) && isJsonObject(fact.labels) ? fact.labels : {};
  const tags: Record<string, JsonValue> = {};
  for (const [label, value] of entity?.tagged ? Object.entries(labels) : []) {
    tags[label] = toCedar(value, { kind: "String" }, `${root}.labels.${label}`, size);
  }
  return { uid: { ...uidOf(name, facts) }, attrs, parents: [], ...(entity?.tagged ? { tags } : {}) };
}

/** The action and the groups of actions that it is in. */
function actionEntities(name: string, { groups }: CedarAction, { groupParents }: CedarSchema): JsonValue[] {
  const seen = new Set<string>();
  const entities: JsonValue[] = [];
  const visit = (id: string, parents: readonly string[]) => {
    if (seen.has(id)) return;
    seen.add(id);
    entities.push({
      uid: { type: "Action", id },
      attrs: {},
      parents: parents.map((group) => ({ type: "Action", id: group })),
    });
    for (const group of parents) visit(group, groupParents.get(group) ?? []);
  };
  visit(name, groups);
  return entities;
}
