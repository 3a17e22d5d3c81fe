import { fieldsOf, openRoot, rootNames } from "../../cel/fact-paths.ts";
import { nearestName } from "../../documents/nearest.ts";
import type { Attributes, CedarAction, CedarSchema, CedarType } from "./schema-types.ts";

/** The facts that are entities in Cedar, by the name of their type. */
export const entityRoots = {
  Agent: "agent",
  Tool: "tool",
  Principal: "principal",
  Session: "session",
  Caller: "caller",
} as const;

export type EntityName = keyof typeof entityRoots;

export function isFactEntity(name: string): name is EntityName {
  return Object.hasOwn(entityRoots, name);
}

/** Says what is wrong with a name of the schema. */
type Say = (name: string, message: string, details: { expected: string; nearest?: string | undefined }) => void;

/** Whether a schema says of the facts what is so. What it says of arguments is for each call to keep. */
export function checkFactsSchema(schema: CedarSchema, say: Say): void {
  for (const name of schema.namespaces)
    say(name, `the namespace \`${name}\``, { expected: "everything in the nameless one" });
  for (const [name, entity] of schema.entities) {
    if (isFactEntity(name)) checkFields(entityRoots[name], entity.attributes, `the entity ${name}`, say);
  }
  for (const [name, action] of schema.actions) checkAction(name, action, say);
}

function checkAction(name: string, { principals, resources, context }: CedarAction, say: Say): void {
  if (principals.join() !== "Agent" || resources.join() !== "Tool") {
    say(name, `the action "${name}" applies to others than agents and tools`, {
      expected: "principal: Agent, resource: Tool",
    });
  }
  const names = rootNames.filter((root) => root !== "vars");
  for (const [root, { type }] of Object.entries(context)) {
    const where = `the context of "${name}"`;
    if (!names.includes(root)) {
      say(root, `${where} has a fact \`${root}\``, { expected: names.join(", "), nearest: nearestName(root, names) });
    } else if (root === "now") {
      if (type.kind !== "datetime") say(root, `${where} has \`now\` as ${type.kind}`, { expected: "datetime" });
    } else if (type.kind === "Entity") {
      const entity = Object.entries(entityRoots).find(([, fact]) => fact === root)?.[0];
      if (type.name !== entity)
        say(root, `${where} has \`${root}\` as ${type.name}`, { expected: entity ?? "a record" });
    } else if (type.kind !== "Record") {
      say(root, `${where} has \`${root}\` as ${type.kind}`, { expected: "a record" });
    } else if (!openRoot(root) && root !== "budget") checkFields(root, type.attributes, where, say);
  }
}

const cedarTypes: Readonly<Record<string, readonly CedarType["kind"][]>> = {
  string: ["String"],
  int: ["Long"],
  bool: ["Bool"],
  duration: ["duration"],
  map: ["Record"],
};

function checkFields(root: string, attributes: Attributes, where: string, say: Say): void {
  const fields = fieldsOf(root) ?? {};
  const names = [...Object.keys(fields), ...(root === "session" ? ["ageSeconds"] : [])];
  for (const [name, { type }] of Object.entries(attributes)) {
    if (!names.includes(name)) {
      say(name, `${where} has an attribute \`${name}\``, {
        expected: names.join(", "),
        nearest: nearestName(name, names),
      });
      continue;
    }
    const kinds = name === "ageSeconds" ? ["Long", "decimal"] : cedarTypes[fields[name]?.type ?? ""];
    if (kinds && !(kinds as readonly string[]).includes(type.kind)) {
      say(name, `${where} has \`${name}\` as ${type.kind}`, { expected: kinds.join(" or ") });
    }
  }
}
