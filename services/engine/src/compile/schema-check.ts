import { compileRegexInSteps, readRegexInSteps } from "../cel/regex.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { arrayChecks } from "./schema-arrays.ts";
import { alternatives } from "./schema-branches.ts";
import { fail } from "./schema-failure.ts";
import { objectChecks } from "./schema-objects.ts";
import type { SchemaParts } from "./schema-parts.ts";
import { type Evaluated, withUnevaluated } from "./schema-unevaluated.ts";
import { valueChecks } from "./schema-values.ts";
import { spendSteps } from "./schema-work.ts";
import type { Steps } from "./steps.ts";

/**
 * Whether a value fits; where it does not, {@link fail} was told why. `seen` takes note of what of the value was looked
 * at, for parts that ask for what was not; undefined where no part does.
 */
export type Check = (value: JsonValue, seen: Evaluated | undefined) => boolean;

/** Compiles the parts of one schema. */
export interface Compiling {
  readonly parts: SchemaParts;
  /** The check of a part, compiled once however often it is referred to. */
  readonly part: (part: JsonValue) => Steps<Check>;
  /** Compiles a pattern; what it answers takes the steps of its search. @throws SchemaFault */
  readonly pattern: (pattern: string) => Steps<(text: string) => boolean>;
}

/** Why a schema that was surveyed does not compile. */
export class SchemaFault extends Error {}

const partCost = 0.3;
const fits: Check = () => true;
const nothingFits: Check = () => fail("boolean schema is false");

/** `searches` is false where nothing will ever be checked: patterns are only read then. @throws SchemaFault */
export function* compileParts(schema: JsonObject, parts: SchemaParts, searches: boolean): Steps<Check> {
  const known = new Map<JsonObject, { check: Check | undefined }>();
  const part = function* (value: JsonValue): Steps<Check> {
    if (!isJsonObject(value)) return value === false ? nothingFits : fits;
    const there = known.get(value);
    // What refers to itself is complete before it is asked anything.
    if (there) return there.check ?? ((given, seen) => (there.check ?? fits)(given, seen));
    const made: { check: Check | undefined } = { check: undefined };
    known.set(value, made);
    made.check = yield* compilePart(value, compiling);
    return made.check;
  };
  const compiling: Compiling = { parts, part, pattern: searches ? searchedPattern : readPattern };
  return yield* part(schema);
}

function* readPattern(pattern: string): Steps<(text: string) => boolean> {
  const regex = yield* readRegexInSteps(pattern);
  if ("problem" in regex) throw patternFault(pattern, regex.problem);
  return () => false;
}

function* searchedPattern(pattern: string): Steps<(text: string) => boolean> {
  const regex = yield* compileRegexInSteps(pattern);
  if ("problem" in regex) throw patternFault(pattern, regex.problem);
  return (text) => {
    // Beginning a search costs more than its first characters.
    spendSteps(16 + regex.steps(text.length));
    return regex.search(text);
  };
}

function patternFault(pattern: string, problem: string): SchemaFault {
  return new SchemaFault(`pattern ${pattern.slice(0, 200)}: ${problem}`);
}

function* compilePart(part: JsonObject, compiling: Compiling): Steps<Check> {
  yield partCost;
  const values = yield* valueChecks(part, compiling);
  const others = [
    ...(yield* references(part, compiling)),
    ...(yield* objectChecks(part, compiling)),
    ...(yield* arrayChecks(part, compiling)),
    ...(yield* alternatives(part, compiling)),
  ];
  const check = others.length === 0 && values.length === 1 ? values[0] : undefined;
  return yield* withUnevaluated(part, check ?? joined([...values, ...others]), compiling);
}

/**
 * Every visit of a part takes steps, so that what refers to itself without end comes to an end. What asks one thing of a
 * value itself takes no more than whoever came there has paid.
 */
function joined(checks: readonly Check[]): Check {
  const steps = 1 + (checks.length >> 2);
  return (value, seen) => {
    spendSteps(steps);
    for (const check of checks) if (!check(value, seen)) return false;
    return true;
  };
}

function* references(part: JsonObject, { parts, part: compile }: Compiling): Steps<Check[]> {
  const checks: Check[] = [];
  for (const [reference, refer] of [
    [part.$ref, parts.refer],
    [part.$dynamicRef, parts.referDynamic],
  ] as const) {
    if (typeof reference !== "string") continue;
    const found = refer(part, reference);
    if (!found) throw new SchemaFault(`the reference ${reference} does not lead to a schema`);
    checks.push(yield* compile(found));
  }
  return checks;
}
