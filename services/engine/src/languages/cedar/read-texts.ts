import { finish, type Steps } from "../../compile/steps.ts";
import type { ProblemDetails } from "../../documents/origin.ts";
import type { PolicyDocument } from "../../documents/policy.ts";
import { type CedarApi, CedarBreakdown, withCedar } from "./engine.ts";
import { checkFactsSchema } from "./facts-schema.ts";
import {
  type CedarPolicy,
  isShallow,
  readPolicies,
  readSchemaText,
  type SayAt,
  sayErrors,
  workOfAll,
} from "./read-policies.ts";
import { type CedarSchema, readSchema, schemaExtent } from "./schema-types.ts";

/** What a policy in Cedar says. */
export interface CedarTexts {
  readonly source: string;
  readonly schema: string;
}

interface CedarProblem {
  readonly key: keyof CedarTexts;
  readonly offset: number;
  readonly message: string;
  readonly details: Pick<ProblemDetails, "code" | "expected" | "nearest" | "severity">;
}

/** What the texts of a policy say, parsed, validated and counted: plain data, that one thread may send another. */
export interface CedarRead {
  readonly problems: readonly CedarProblem[];
  /** Undefined after problems. */
  readonly policies?: readonly CedarPolicy[] | undefined;
  readonly schema?: CedarSchema | undefined;
}

export function cedarTexts({ spec: { source = "", schema = "" } }: PolicyDocument): CedarTexts {
  return { source, schema };
}

// Texts never change under a document.
const reads = new WeakMap<PolicyDocument, CedarRead>();

/** Takes note of what another thread has read in a document, so that compiling it does not read it here. */
export function rememberRead(document: PolicyDocument, read: CedarRead): void {
  reads.set(document, read);
}

export function knownRead(document: PolicyDocument): CedarRead | undefined {
  return reads.get(document);
}

/** Reads the texts of a policy, all at once: some tenths of a second at their limits. */
export function readCedar(texts: CedarTexts): CedarRead {
  return finish(readTexts(texts));
}

/** Steps of one evaluation of the policies alone: half of what an evaluation has. */
const programStepsMax = 50_000;
/** No fact is as deep. */
const typeDepthMax = 64;
/** Types of a schema, each common one as often as it is had: they may double with each level. */
const typesMax = 20_000;
/** Of parsing and validating with Cedar, in the unit of {@link Steps}. */
const parsingCost = 200;

/** The same in pieces, of which those that are Cedar's own cannot be interrupted. */
export function* readTexts({ source, schema: schemaText }: CedarTexts): Steps<CedarRead> {
  const problems: CedarProblem[] = [];
  const sayIn =
    (key: keyof CedarTexts): SayAt =>
    (offset, message, { nearest, ...more } = {}) => {
      const found = typeof nearest === "function" ? nearest() : nearest;
      problems.push({ key, offset, message, details: { code: "program_invalid", ...more, nearest: found } });
    };
  const saySource = sayIn("source");
  const saySchema = sayIn("schema");
  const shallow = [isShallow(source, saySource), isShallow(schemaText, saySchema)];
  if (shallow.includes(false)) return { problems };
  try {
    yield parsingCost;
    const parsed = withCedar(({ api }) => api.checkParsePolicySet({ staticPolicies: source }));
    yield parsingCost;
    if (parsed.type === "failure") sayErrors(parsed.errors, source, saySource);
    const policies = parsed.type === "success" ? yield* readPolicies(source, saySource) : undefined;
    const json = withCedar(({ api }) => readSchemaText(api, schemaText, saySchema));
    yield parsingCost;
    if (!json) return { problems };
    const schema = readSchema(json);
    if (!isBounded(schema, saySchema)) return { problems };
    checkFactsSchema(schema, (name, message, details) => {
      saySchema(Math.max(0, schemaText.indexOf(name)), message, details);
    });
    yield parsingCost;
    if (parsed.type === "success") {
      withCedar(({ api }) => validate(api, { source, schema: schemaText }, saySource));
      yield parsingCost;
    }
    return { problems, schema, policies: policies && bounded(policies, saySource) };
  } catch (error) {
    if (!(error instanceof CedarBreakdown)) throw error;
    saySource(0, `Cedar cannot read it: ${error.message}`);
    return { problems };
  }
}

function isBounded(schema: CedarSchema, say: SayAt): boolean {
  const { depth, size } = schemaExtent(schema);
  const details = { code: "too_large" } as const;
  if (depth > typeDepthMax) say(0, `types in each other more than ${typeDepthMax} deep`, details);
  if (size > typesMax) say(0, `more than ${typesMax} types, each common type as often as it is used`, details);
  return depth <= typeDepthMax && size <= typesMax;
}

function bounded(policies: readonly CedarPolicy[], say: SayAt): readonly CedarPolicy[] | undefined {
  const { steps } = workOfAll(policies);
  if (steps <= programStepsMax) return policies;
  say(0, `policies that take ${steps} steps`, {
    code: "too_large",
    expected: `at most ${programStepsMax} for every call`,
  });
  return undefined;
}

function validate(api: CedarApi, { source, schema }: CedarTexts, say: SayAt): void {
  const validated = api.validate({ schema, policies: { staticPolicies: source } });
  if (validated.type === "failure") {
    sayErrors(validated.errors, source, say);
    return;
  }
  const { validationErrors, validationWarnings } = validated;
  const errorsOf = (found: typeof validationErrors) => found.map(({ error }) => error);
  sayErrors(errorsOf(validationErrors), source, say);
  sayErrors(errorsOf(validationWarnings), source, say, "warning");
}
