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
import { type PreparedSet, preparedSet } from "./prepared-set.ts";
import type { CedarPolicy } from "./read-policies.ts";
import { cedarTexts, knownRead, readTexts } from "./read-texts.ts";
import { cedarRequest } from "./request.ts";
import type { CedarSchema } from "./schema-types.ts";

/** Of having Cedar parse what it is asked about, in the unit of {@link Steps}; of looking for a name, and of a rule. */
const parsingCost = 200;
const nameCost = 50;
const ruleCost = 5;

/** Policies in Cedar, ready to be asked; undefined after their problems were reported. */
export function* compileCedar(document: PolicyDocument, compiling: ProgramCompiling): Steps<Program | undefined> {
  let whole = true;
  const report: ProgramCompiling["report"] = (pointer, message, details) => {
    if (details?.severity !== "warning") whole = false;
    compiling.report(pointer, message, details);
  };
  const texts = cedarTexts(document);
  const { problems, policies, schema } = knownRead(document) ?? (yield* readTexts(texts));
  for (const { key, offset, message, details } of problems) {
    report(`/spec/${key}`, message, { ...details, within: { text: texts[key], offset } });
  }
  if (schema) yield* checkTools(document, schema, report);
  if (!policies || !schema) return undefined;
  const rules: CompiledRule[] = [];
  for (const policy of policies) {
    rules.push(compilePolicy(policy, texts.source, { ...compiling, report }));
    yield ruleCost;
  }
  return whole ? yield* program(policies, rules, schema) : undefined;
}

/** Every tool that is matched by its name needs an action: without one its calls could not be judged. */
function* checkTools({ spec }: PolicyDocument, schema: CedarSchema, report: ProgramCompiling["report"]): Steps<void> {
  for (const [index, name] of (spec.match?.tools ?? []).entries()) {
    if (!isExactName(name) || schema.actions.has(name)) continue;
    report(below("/spec/match/tools", index), `the schema has no action "${name}" that applies to something`, {
      code: "program_invalid",
      nearest: nearestName(name, schema.actions.keys()),
    });
    yield nameCost;
  }
}

function compilePolicy({ rule, offset }: CedarPolicy, source: string, compiling: ProgramCompiling): CompiledRule {
  const expressions = policyExpressions({}, (_, message, details) => {
    const { expected, nearest } = details ?? {};
    const within = { text: source, offset };
    const said = { code: "program_invalid", within, expected, nearest } as const;
    compiling.report("/spec/source", `${rule.id}: @set: ${message}`, said);
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
    // Parsing holds the thread by itself.
    yield parsingCost;
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
