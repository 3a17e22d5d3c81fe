import { compileRegexInSteps, readRegexInSteps } from "../cel/regex.ts";
import { below } from "../documents/origin.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { compileParts, SchemaFault } from "./schema-check.ts";
import { lastFailure } from "./schema-failure.ts";
import { type SchemaProblem, surveySchema } from "./schema-parts.ts";
import { type CheckBudget, schemaStepsMax, withinSteps } from "./schema-work.ts";
import { finish, type Steps } from "./steps.ts";

/** Undefined if the value is valid; otherwise where it is not, as `input.items.0`, and why. */
export type SchemaCheck = (
  value: JsonValue,
  budget?: CheckBudget,
) => { readonly path: string; readonly message: string } | undefined;

/** Characters of a schema as JSON: far more than anybody writes, and little enough to look at as one text. */
const schemaCharsMax = 256 * 1024;

/** What is wrong with a JSON Schema, and where below it; undefined if nothing is. */
export function schemaProblem(schema: JsonObject): SchemaProblem | undefined {
  return finish(schemaProblemInSteps(schema));
}

/** The same, some parts at a time. Its patterns are read and not made ready for searching. */
export function* schemaProblemInSteps(schema: JsonObject): Steps<SchemaProblem | undefined> {
  const made = yield* build(schema, "read");
  return "message" in made ? made : undefined;
}

/** Compiles a schema that {@link schemaProblem} found nothing wrong with. `root` begins the paths in what it answers. */
export function compileSchema(schema: JsonObject, root: string): SchemaCheck {
  const made = finish(compileSchemaInSteps(schema, root));
  if ("message" in made) throw new Error(made.message);
  return made;
}

/** The same, some parts at a time; what is wrong with the schema, if something is. */
export function* compileSchemaInSteps(schema: JsonObject, root: string): Steps<SchemaCheck | SchemaProblem> {
  const made = yield* build(schema, "search");
  if ("message" in made) return made;
  const { check } = made;
  return (value, budget) => {
    const fits = withinSteps(() => check(value, undefined), budget);
    if (fits === true) return undefined;
    if (fits === "too much") return { path: root, message: `takes more than ${schemaStepsMax} steps to check` };
    const { path, message } = lastFailure();
    return { path: [root, ...path].join("."), message };
  };
}

type Built = { readonly check: ReturnType<typeof compileParts> extends Steps<infer Made> ? Made : never };

function* build(schema: JsonObject, patterns: "read" | "search"): Steps<Built | SchemaProblem> {
  const chars = JSON.stringify(schema).length;
  if (chars > schemaCharsMax) {
    return { pointer: "", message: `a schema of ${chars} characters, and there may be ${schemaCharsMax}` };
  }
  yield chars / charsPerStep;
  const parts = yield* surveySchema(schema);
  if ("message" in parts) return parts;
  for (const [part, pointer] of parts.parts) {
    if (typeof part.pattern !== "string") continue;
    const problem = yield* patternProblem(part.pattern, patterns);
    if (problem === undefined) continue;
    return { pointer: below(pointer, "pattern"), message: `a pattern that is not supported: ${problem}` };
  }
  try {
    return { check: yield* compileParts(schema, parts, patterns === "search") };
  } catch (error) {
    if (!(error instanceof SchemaFault)) throw error;
    return { pointer: "", message: `not a valid JSON Schema: ${error.message}` };
  }
}

const charsPerStep = 2000;

function* patternProblem(pattern: string, patterns: "read" | "search"): Steps<string | undefined> {
  const made = yield* patterns === "read" ? readRegexInSteps(pattern) : compileRegexInSteps(pattern);
  return "problem" in made ? made.problem : undefined;
}
