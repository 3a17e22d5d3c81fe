import type { Amount, Bound, Facts, JsonObject, JsonValue, Scope, ToolDocument } from "../../src/index.ts";
import type { Flaw } from "./flaws.ts";
import { timeOf } from "./functions.ts";
import { globFits } from "./match.ts";
import { pathWithin } from "./paths-and-urls.ts";
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
    const found = argumentsOf(bound.path.split(".").slice(1), input);
    if (found.includes(undefined) && flaw === "missing-argument-is-within-its-bound") continue;
    const outside = found.some((argument) => !isWithin(bound, argument, facts.principal.id, flaw));
    if (outside || found.length === 0) return `${bound.path} exceeds its bound ${kindOf(bound)}`;
  }
  return undefined;
}

/** What stands at the path, undefined for what is not there; every item of a list at a star. */
function argumentsOf(keys: readonly string[], value: JsonValue): (JsonValue | undefined)[] {
  const [key, ...rest] = keys;
  if (key === undefined) return [value];
  if (key === "*" && !Array.isArray(value)) return [undefined];
  if (key === "*") return (value as JsonValue[]).flatMap((item) => argumentsOf(rest, item));
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [undefined];
  const below = Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
  return below === undefined ? [undefined] : argumentsOf(rest, below);
}

const boundKinds = ["max", "min", "in", "prefix", "equals"] as const;

function kindOf(bound: Bound): string {
  return boundKinds.find((kind) => bound[kind] !== undefined) ?? "";
}

function isWithin(bound: Bound, argument: JsonValue | undefined, principal: string, flaw?: Flaw): boolean {
  if (argument === undefined) return false;
  if (bound.max !== undefined) return isOrdered(argument, bound.max, (less) => less);
  if (bound.min !== undefined) return isOrdered(argument, bound.min, (_, more) => more);
  if (bound.in !== undefined) return bound.in.some((member) => member === argument);
  if (bound.prefix !== undefined) {
    if (typeof argument !== "string") return false;
    if (bound.prefix[0] !== "/" || flaw === "prefix-of-a-path-is-its-characters")
      return argument.startsWith(bound.prefix);
    return pathWithin(argument, bound.prefix) === true;
  }
  return argument === (bound.equals === "principal.id" ? principal : bound.equals);
}

/** Whether an argument stands on the right side of a limit: told in eighteenths after the point where one is a text. */
function isOrdered(
  argument: JsonValue,
  limit: number | string,
  holds: (notMore: boolean, notLess: boolean) => boolean,
): boolean {
  if (typeof limit === "number") return typeof argument === "number" && holds(argument <= limit, argument >= limit);
  if (typeof argument !== "number" && typeof argument !== "string") return false;
  const one = eighteenths(String(argument));
  const other = eighteenths(limit);
  return one !== undefined && other !== undefined && holds(one <= other, one >= other);
}

function eighteenths(text: string): bigint | undefined {
  const minus = text.startsWith("-");
  const [whole = "", fraction, ...more] = text.slice(minus ? 1 : 0).split(".");
  const digits = (part: string) => part !== "" && [...part].every((one) => "0123456789".includes(one));
  if (more.length > 0 || !digits(whole) || (fraction !== undefined && !digits(fraction))) return undefined;
  if (whole.length > 1 && whole[0] === "0") return undefined;
  const size = BigInt(whole + (fraction ?? "").padEnd(18, "0"));
  return minus ? -size : size;
}

/** The first amount of an estimate that is above the tool's maximum in its unit. */
export function aboveMaximum(estimate: readonly Amount[], maximum: readonly Amount[]): Amount | undefined {
  return estimate.find(({ unit, value }) =>
    maximum.some((most) => most.unit === unit && Number(value) > Number(most.value)),
  );
}
