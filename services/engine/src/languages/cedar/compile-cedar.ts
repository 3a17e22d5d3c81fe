import type { Frame } from "../../cel/frame.ts";
import { costFailure, Failure } from "../../cel/value.ts";
import { policyExpressions } from "../../compile/condition.ts";
import { isExactName } from "../../compile/pattern.ts";
import type { CompiledRule } from "../../compile/rule.ts";
import type { Steps } from "../../compile/steps.ts";
import { nearestName } from "../../documents/nearest.ts";
import { below } from "../../documents/origin.ts";
import type { PolicyDocument } from "../../documents/policy.ts";
import { oncePerPass } from "../facts-document.ts";
import { answeredRule, type Program, type ProgramCompiling } from "../program.ts";
import { Unrepresentable } from "./convert.ts";
import { type CedarApi, CedarBreakdown, withCedar } from "./engine.ts";
import { checkFactsSchema } from "./facts-schema.ts";
import { type PreparedSet, preparedSet } from "./prepared-set.ts";
import {
  type CedarPolicy,
  isShallow,
  readPolicies,
  readSchemaText,
  type SayAt,
  sayErrors,
  sayIn,
  workOf,
} from "./read-policies.ts";
import { cedarRequest } from "./request.ts";
import { type CedarSchema, readSchema } from "./schema-types.ts";

/** Steps of one evaluation of the policies alone: half of what an evaluation has. */
const programStepsMax = 50_000;
/** Of parsing and validating with Cedar, in the unit of {@link Steps}. */
const parsingCost = 200;

/** Policies in Cedar, ready to be asked; undefined after their problems were reported. */
export function* compileCedar(document: PolicyDocument, compiling: ProgramCompiling): Steps<Program | undefined> {
  let whole = true;
  const report: ProgramCompiling["report"] = (pointer, message, details) => {
    if (details?.severity !== "warning") whole = false;
    compiling.report(pointer, message, details);
  };
  const { source = "", schema: schemaText = "" } = document.spec;
  yield parsingCost;
  const read = yield* readTexts(source, schemaText, report);
  if (!read) return undefined;
  yield parsingCost;
  const { schema, policies } = read;
  checkTools(document, schema, report);
  const rules = policies.map((policy) => compilePolicy(policy, source, { ...compiling, report }));
  if (workOf(policies).steps > programStepsMax) {
    report("/spec/source", `policies that take ${workOf(policies).steps} steps`, {
      code: "too_large",
      expected: `at most ${programStepsMax} for every call`,
    });
  }
  return whole ? yield* program(policies, rules, schema) : undefined;
}

function* readTexts(
  source: string,
  schemaText: string,
  report: ProgramCompiling["report"],
): Steps<{ schema: CedarSchema; policies: readonly CedarPolicy[] } | undefined> {
  const saySource = sayIn("source", source, report);
  const saySchema = sayIn("schema", schemaText, report);
  const shallow = [isShallow(source, saySource), isShallow(schemaText, saySchema)];
  if (shallow.includes(false)) return undefined;
  try {
    const parsed = withCedar(({ api }) => api.checkParsePolicySet({ staticPolicies: source }));
    yield parsingCost;
    if (parsed.type === "failure") sayErrors(parsed.errors, source, saySource);
    const policies = parsed.type === "success" ? yield* readPolicies(source, saySource) : undefined;
    const json = withCedar(({ api }) => readSchemaText(api, schemaText, saySchema));
    yield parsingCost;
    if (!json) return undefined;
    const schema = readSchema(json);
    checkFactsSchema(schema, (name, message, details) => {
      saySchema(Math.max(0, schemaText.indexOf(name)), message, details);
    });
    yield parsingCost;
    if (parsed.type === "success") {
      withCedar(({ api }) => validate(api, { source, schema: schemaText }, saySource));
      yield parsingCost;
    }
    return policies && { schema, policies };
  } catch (error) {
    if (!(error instanceof CedarBreakdown)) throw error;
    saySource(0, `Cedar cannot read it: ${error.message}`);
    return undefined;
  }
}

function validate(api: CedarApi, texts: { source: string; schema: string }, say: SayAt): void {
  const { source, schema } = texts;
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

/** Every tool that is matched by its name needs an action: without one its calls could not be judged. */
function checkTools({ spec }: PolicyDocument, schema: CedarSchema, report: ProgramCompiling["report"]): void {
  for (const [index, name] of (spec.match?.tools ?? []).entries()) {
    if (!isExactName(name) || schema.actions.has(name)) continue;
    report(below("/spec/match/tools", index), `the schema has no action "${name}" that applies to something`, {
      code: "program_invalid",
      nearest: nearestName(name, schema.actions.keys()),
    });
  }
}

function compilePolicy({ rule, offset }: CedarPolicy, source: string, compiling: ProgramCompiling): CompiledRule {
  const say = sayIn("source", source, compiling.report);
  const expressions = policyExpressions({}, (_, message, details) => {
    const { expected, nearest } = details ?? {};
    say(offset, `${rule.id}: @set: ${message}`, { expected, nearest });
  });
  const compiled = compiling.compileRule(rule, { expressions, pointer: "", reads: () => {} });
  const text = `the Cedar policy ${rule.id}`;
  return answeredRule(compiled, compiling, { id: rule.id, text });
}

function* program(
  policies: readonly CedarPolicy[],
  rules: readonly CompiledRule[],
  schema: CedarSchema,
): Steps<Program> {
  const setOf = function* (wanted: boolean): Steps<PreparedSet | undefined> {
    const chosen = policies.filter(({ rule }) => (rule.effect === "transform") === wanted);
    if (chosen.length === 0) return undefined;
    const set = preparedSet(chosen);
    set.prepare();
    yield parsingCost;
    return set;
  };
  // A forbid hides every permit from Cedar's answer, and transforms are judged before it: so they are asked alone.
  const transforms = yield* setOf(true);
  const others = yield* setOf(false);
  const request = oncePerPass((frame: Frame) => {
    try {
      return cedarRequest(frame, schema);
    } catch (error) {
      if (error instanceof Unrepresentable) return new Failure("type", error.message);
      throw error;
    }
  });
  const ask = (set: typeof transforms) => (frame: Frame) => {
    if (!set) return [];
    const made = request(frame);
    if (made instanceof Failure) return made;
    frame.meter.steps -= set.stepsFor(made.size);
    if (frame.meter.steps < 0) return costFailure;
    const ids = set.satisfied(made);
    return ids instanceof Failure ? ids : rules.filter(({ ref }) => ids.includes(ref.rule));
  };
  return {
    questions: policies.flatMap(({ rule }) => rule.questions ?? []),
    transforms: ask(transforms),
    others: ask(others),
  };
}
