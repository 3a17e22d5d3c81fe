import type { Amount, Bound, Facts, JsonObject, JsonValue, Scope, ToolDocument } from "../../src/index.ts";
import type { Flaw } from "./flaws.ts";
import { timeOf } from "./functions.ts";
import { globFits } from "./match.ts";
import { Time } from "./values.ts";

/** Every place at which a value does not fit a schema of the generator's kind. */
export function misfits(value: JsonValue | undefined, schema: JsonObject, path: string): string[] {
  if (value === undefined) return [];
  const found: string[] = [];
  if (typeof schema.type === "string" && !isOfType(value, schema.type)) return [path];
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) found.push(path);
  if (typeof value === "number") {
    if (value < Number(schema.minimum ?? -Infinity) || value > Number(schema.maximum ?? Infinity)) found.push(path);
  }
  if (typeof value === "string" && [...value].length > Number(schema.maxLength ?? Infinity)) found.push(path);
  if (Array.isArray(value)) {
    const items = schema.items as JsonObject | undefined;
    if (items) found.push(...value.flatMap((item, index) => misfits(item, items, `${path}.${index}`)));
  } else if (typeof value === "object" && value !== null) {
    const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonObject>>;
    const map = value as JsonObject;
    for (const name of (schema.required ?? []) as string[]) {
      if (!Object.hasOwn(map, name)) found.push(`${path}.${name}`);
    }
    for (const name of Object.keys(map)) {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (property) found.push(...misfits(map[name], property, `${path}.${name}`));
      else if (schema.additionalProperties === false) found.push(`${path}.${name}`);
    }
  }
  return found;
}

function isOfType(value: JsonValue, type: string): boolean {
  if (type === "integer") return typeof value === "number" && Number.isInteger(value);
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

/** What a scope is exceeded in, in the words for the model; undefined if every scope permits the call. */
export function excessOf(facts: Facts, tool: ToolDocument, input: JsonObject, flaw?: Flaw): string | undefined {
  const { scopes } = facts;
  if (scopes.length === 0) return "the session has no scope";
  const found = scopes.map((scope) => scopeExcess(scope, facts, tool, input, flaw));
  if (flaw === "one-scope-is-enough" && found.includes(undefined)) return undefined;
  return found.find((one) => one !== undefined);
}

function scopeExcess(
  scope: Scope,
  facts: Facts,
  { metadata, spec }: ToolDocument,
  input: JsonObject,
  flaw: Flaw | undefined,
): string | undefined {
  const { name } = metadata;
  if (!scope.tools.some((glob) => globFits(glob, name, flaw))) return `the tool ${name} is outside the scope`;
  if (scope.expiresAt !== undefined) {
    const [end, now] = [timeOf(scope.expiresAt), timeOf(facts.now)];
    if (!(end instanceof Time && now instanceof Time && now.ns < end.ns)) return "the scope has expired";
  }
  for (const [label, wanted] of Object.entries(scope.labels ?? {})) {
    if (spec.labels?.[label] !== wanted) return `the tool does not carry the label ${label}`;
  }
  for (const bound of scope.bounds ?? []) {
    if (!globFits(bound.tool, name, flaw)) continue;
    const argument = argumentOf(bound.path, input);
    if (argument === undefined && flaw === "missing-argument-is-within-its-bound") continue;
    if (!isWithin(bound, argument, facts.principal.id)) return `${bound.path} exceeds its bound ${kindOf(bound)}`;
  }
  return undefined;
}

function argumentOf(path: string, input: JsonObject): JsonValue | undefined {
  let value: JsonValue | undefined = input;
  for (const key of path.split(".").slice(1)) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
  }
  return value;
}

const boundKinds = ["max", "min", "in", "prefix", "equals"] as const;

function kindOf(bound: Bound): string {
  return boundKinds.find((kind) => bound[kind] !== undefined) ?? "";
}

function isWithin(bound: Bound, argument: JsonValue | undefined, principal: string): boolean {
  if (argument === undefined) return false;
  if (bound.max !== undefined) return typeof argument === "number" && argument <= bound.max;
  if (bound.min !== undefined) return typeof argument === "number" && argument >= bound.min;
  if (bound.in !== undefined) return bound.in.some((member) => member === argument);
  if (bound.prefix !== undefined) return typeof argument === "string" && argument.startsWith(bound.prefix);
  return argument === (bound.equals === "principal.id" ? principal : bound.equals);
}

/** The first amount of an estimate that is above the tool's maximum in its unit. */
export function aboveMaximum(estimate: readonly Amount[], maximum: readonly Amount[]): Amount | undefined {
  return estimate.find(({ unit, value }) =>
    maximum.some((most) => most.unit === unit && Number(value) > Number(most.value)),
  );
}
