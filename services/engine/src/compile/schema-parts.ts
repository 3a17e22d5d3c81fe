import { below } from "../documents/origin.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { keywordProblem, listed, mapped, single } from "./schema-keywords.ts";
import type { Steps } from "./steps.ts";

/** What is wrong with a schema, and where below it. */
export interface SchemaProblem {
  readonly pointer: string;
  readonly message: string;
}

/** Every part of a schema that is one itself, and how one finds another. */
export interface SchemaParts {
  /** Each with its pointer. */
  readonly parts: ReadonlyMap<JsonObject, string>;
  /** Whether a part asks what its neighbours have looked at. */
  readonly unevaluated: boolean;
  /** What a reference in a part leads to; undefined if it leads to no part. */
  readonly refer: (from: JsonObject, reference: string) => JsonObject | undefined;
  /** What a reference by a name that is looked up from the outside in leads to; undefined if that is not one place. */
  readonly referDynamic: (from: JsonObject, reference: string) => JsonObject | undefined;
}

const depthMax = 32;
/** Where a schema stands that does not say so itself. */
const nowhere = "schema:///";
/** Looking a part over, in the unit of {@link Steps}, and each of its keywords. */
const partCost = 0.2;
const keywordCost = 0.02;

interface Survey {
  readonly parts: Map<JsonObject, string>;
  /** The address in which each part's references stand. */
  readonly bases: Map<JsonObject, string>;
  /** Parts that have an address of their own, and named ones as `address#name`. */
  readonly places: Map<string, JsonObject>;
  readonly dynamic: Map<string, JsonObject[]>;
  unevaluated: boolean;
}

/** Finds the parts of a schema and checks their keywords, part by part. */
export function* surveySchema(schema: JsonObject): Steps<SchemaParts | SchemaProblem> {
  const survey: Survey = {
    parts: new Map(),
    bases: new Map(),
    places: new Map([[nowhere, schema]]),
    dynamic: new Map(),
    unevaluated: false,
  };
  const problem = yield* lookOver(schema, { pointer: "", depth: 0, base: nowhere }, survey);
  if (problem) return problem;
  const { parts, bases, unevaluated, dynamic } = survey;
  const refer: SchemaParts["refer"] = (from, reference) => {
    const found = placeOf(reference, bases.get(from) ?? nowhere, survey);
    return found && parts.has(found) ? found : undefined;
  };
  const referDynamic: SchemaParts["referDynamic"] = (from, reference) => {
    const named = dynamic.get(reference.slice(reference.indexOf("#") + 1)) ?? [];
    // Of several, which one is meant depends on the way to it.
    return named.length > 1 ? undefined : refer(from, reference);
  };
  return { parts, unevaluated, refer, referDynamic };
}

interface Where {
  readonly pointer: string;
  /** Levels of JSON above it. */
  readonly depth: number;
  readonly base: string;
}

function* lookOver(part: JsonValue, where: Where, survey: Survey): Steps<SchemaProblem | undefined> {
  const { pointer, depth } = where;
  if (depth > depthMax) return { pointer, message: `a schema deeper than ${depthMax} levels` };
  if (!isJsonObject(part)) return undefined;
  const wrong = keywordProblem(part);
  if (wrong) return invalid(pointer, wrong);
  yield partCost + keywordCost * sizeOf(part);
  const base = notePlace(part, where.base, survey);
  if (base === undefined) return invalid(pointer, `\`$id\` is no address, or a name stands twice`);
  survey.parts.set(part, pointer);
  survey.bases.set(part, base);
  if (part.unevaluatedItems !== undefined || part.unevaluatedProperties !== undefined) survey.unevaluated = true;
  for (const key of Object.keys(part)) {
    const value = part[key] ?? null;
    const inner = (item: JsonValue, at: string, levels: number) =>
      lookOver(item, { pointer: `${pointer}${at}`, depth: depth + levels, base }, survey);
    let problem: SchemaProblem | undefined;
    if (single.includes(key)) problem = yield* inner(value, below("", key), 1);
    else if (listed.includes(key) && Array.isArray(value)) {
      for (const [at, item] of value.entries()) problem ??= yield* inner(item, below(below("", key), at), 2);
    } else if (mapped.includes(key) && isJsonObject(value)) {
      for (const name of Object.keys(value))
        problem ??= yield* inner(value[name] ?? null, below(below("", key), name), 2);
    }
    if (problem) return problem;
  }
  return undefined;
}

function sizeOf(part: JsonObject): number {
  const { required, properties } = part;
  return (
    Object.keys(part).length +
    (Array.isArray(required) ? required.length : 0) +
    (properties ? Object.keys(properties).length : 0)
  );
}

function invalid(pointer: string, message: string): SchemaProblem {
  const at = pointer === "" ? "" : ` at ${pointer.slice(0, 200)}`;
  return { pointer: "", message: `not a valid JSON Schema: ${message}${at}` };
}

/** Takes note of the names of a part; the address in which it and what is below it stand, undefined after a name that is none. */
function notePlace(part: JsonObject, above: string, { places, dynamic }: Survey): string | undefined {
  const { $id, $anchor, $dynamicAnchor } = part;
  const base = typeof $id === "string" ? addressOf($id.replace(/#$/, ""), above) : above;
  if (base === undefined) return undefined;
  const names = typeof $id === "string" ? [base] : [];
  for (const name of [$anchor, $dynamicAnchor]) if (typeof name === "string") names.push(`${base}#${name}`);
  for (const name of names) {
    const there = places.get(name);
    if (there && there !== part) return undefined;
    places.set(name, part);
  }
  if (typeof $dynamicAnchor === "string") {
    const named = dynamic.get($dynamicAnchor);
    if (!named) dynamic.set($dynamicAnchor, [part]);
    else if (!named.includes(part)) named[1] = part;
  }
  return base;
}

function addressOf(reference: string, base: string): string | undefined {
  return URL.canParse(reference, base) ? new URL(reference, base).href : undefined;
}

function placeOf(reference: string, base: string, { places }: Survey): JsonObject | undefined {
  const hash = reference.indexOf("#");
  const fragment = hash < 0 ? "" : reference.slice(hash + 1);
  const document = hash < 0 ? reference : reference.slice(0, hash);
  const address = document === "" ? base : addressOf(document, base);
  if (address === undefined) return undefined;
  if (fragment !== "" && !fragment.startsWith("/")) return places.get(`${address}#${decoded(fragment)}`);
  let value: JsonValue | undefined = places.get(address);
  for (const step of fragment.split("/").slice(1)) {
    const key = decoded(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = value[Number(key)];
    else value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return isJsonObject(value) ? value : undefined;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
