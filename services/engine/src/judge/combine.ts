import { evaluationStepsMax } from "../cel/frame.ts";
import { mergeConstraints } from "../compile/constraints.ts";
import type { CompiledRule } from "../compile/rule.ts";
import type { Effect } from "../documents/policy.ts";
import type { Facts } from "./facts.ts";
import type { Findings } from "./judge.ts";
import type { Constraint, Question, RuleRef, UnknownRule, Verdict, VerdictCode } from "./verdict.ts";

const wording: Readonly<Record<VerdictCode, string>> = {
  rule_allowed: "Allowed.",
  rule_transformed: "Allowed with a changed input: run the call with the transformed input, as it is.",
  approval_granted: "Allowed: the approval was granted.",
  clarified: "Allowed: the questions were answered.",
  observed: "Allowed: policies are observed here, not enforced.",
  no_rule_matched: "No policy permits this call.",
  rule_denied: "A policy forbids this call.",
  evaluation_error: "A policy could not be judged on this call, so the call is not permitted as it is.",
  transform_conflict: "Policies would change this call's input in ways that contradict each other.",
  transform_invalid: "A policy would change this call's input into one that the tool does not accept.",
  constraint_unsupported: "The call is only permitted under constraints that this client does not support.",
  tool_unknown: "The tool is not registered.",
  tool_suspended: "The tool may not be called now. Its owner can say why.",
  tool_schema_changed:
    "The tool is not the one that was registered: its schema is another. It may be called once it is registered again.",
  input_invalid: "The input does not fit the tool.",
  scope_exceeded: "The call exceeds what this session may do.",
  approval_required: "The call needs an approval before it may run.",
  facts_missing: "Answer the questions and ask again.",
};

/** What a verdict needs beside its effect and code; the message is the code's own unless one is given. */
type VerdictParts = Partial<Omit<Verdict, "effect" | "code" | "mode" | "rules">> & {
  readonly rules?: readonly CompiledRule[];
};

/** A verdict that binds the caller. */
export function verdictOf(effect: Effect, code: VerdictCode, { rules = [], ...parts }: VerdictParts): Verdict {
  return { ...plainVerdict(effect, code, rules, none, none), ...parts };
}

// Shared by all verdicts without any; frozen, since verdicts go out.
const none: readonly never[] = Object.freeze([]);

/** The same of the commonest parts alone: written out, since copying parts would take longer than everything else. */
function plainVerdict(
  effect: Effect,
  code: VerdictCode,
  rules: readonly CompiledRule[],
  constraints: readonly Constraint[],
  unknowns: readonly UnknownRule[],
): Verdict {
  const message = wording[code];
  const retryable = effect === "clarify" || effect === "escalate";
  return { effect, code, message, retryable, rules: refsOf(rules), mode: "enforced", constraints, unknowns };
}

function refsOf(rules: readonly CompiledRule[]): readonly RuleRef[] {
  if (rules.length === 0) return none;
  return rules.map(({ ref }) => ref);
}

/** Combines what the rules said by precedence: deny > clarify > escalate > transform > allow, and nothing is deny. */
export function combine(findings: Findings, facts: Facts): Verdict {
  const { deny, clarify, escalate, unknownTransforms, unknowns, transformed } = findings;
  if (transformed && "code" in transformed) {
    const detail = `${transformed.path}: ${transformed.why}`;
    return verdictOf("deny", transformed.code, { rules: findings.transforms, unknowns, detail });
  }
  if (deny.length > 0) return restraint("deny", "rule_denied", deny, findings);
  // Nobody knows what the rules that were not judged would have said.
  if (findings.exhausted) return exhausted(findings);
  if (clarify.length > 0) {
    return { ...restraint("clarify", "facts_missing", clarify, findings), questions: mergeQuestions(clarify) };
  }
  // Answers may make a transform known. People cannot, so they are not asked about an input that nobody knows.
  if (unknownTransforms.length > 0) return restraint("deny", "evaluation_error", unknownTransforms, findings);
  if (escalate.length > 0) {
    if (!couldPermit(findings)) return restraint("deny", "evaluation_error", escalate, findings);
    const requirements = escalate.flatMap(({ requirement }) => (requirement ? [requirement] : []));
    const summary = joined(escalate.map((rule) => rule.summary));
    return {
      ...restraint("escalate", "approval_required", escalate, findings),
      approval: { requirements, ...(summary === undefined ? {} : { summary }) },
      ...(transformed ? { transformedInput: transformed.input } : {}),
    };
  }
  return permission(findings, facts);
}

/** Whether anything would permit the call once every escalation was granted. Without that, people are not asked. */
function couldPermit(findings: Findings): boolean {
  const { allow, granted, answered, transforms } = findings;
  if (allow.length + granted.length + answered.length + transforms.length > 0) return true;
  return certainOf(findings.escalate, findings).length > 0;
}

/** The rules whose conditions were true, and not just unknown. */
function certainOf(rules: readonly CompiledRule[], { unknowns }: Findings): readonly CompiledRule[] {
  if (unknowns.length === 0) return rules;
  const unknown = new Set(unknowns.map(({ rule }) => rule));
  return rules.filter(({ ref }) => !unknown.has(ref));
}

/** A deny, clarify or escalate. If it rests on unknown conditions alone, that is what its code says. */
function restraint(effect: Effect, code: VerdictCode, rules: readonly CompiledRule[], findings: Findings): Verdict {
  const { unknowns } = findings;
  const certain = certainOf(rules, findings);
  if (certain.length === 0)
    return verdictOf(effect, "evaluation_error", { rules, unknowns, ...unknownDetail(findings) });
  if (unknowns.length === 0 && saysNothing(rules)) return plainVerdict(effect, code, rules, none, none);
  const message = joined(certain.map((rule) => rule.message));
  const remedy = joined(certain.map((rule) => rule.remedy));
  return verdictOf(effect, code, {
    rules,
    unknowns,
    ...(message === undefined ? {} : { message }),
    ...(remedy === undefined ? {} : { remedy }),
    ...unknownDetail(findings),
  });
}

/** What a decision says whose steps ran out before every rule was judged. */
function exhausted(findings: Findings): Verdict {
  const { unknownTransforms, doubtful, unknowns } = findings;
  const told = unknownDetail(findings).detail;
  const why = `the rules of this call take more than the ${evaluationStepsMax} steps of a decision`;
  return verdictOf("deny", "evaluation_error", {
    rules: joinLists(unknownTransforms, doubtful),
    unknowns,
    detail: told === undefined ? why : `${why}; ${told}`,
  });
}

function saysNothing(rules: readonly CompiledRule[]): boolean {
  for (const { message, remedy } of rules) if (message !== undefined || remedy !== undefined) return false;
  return true;
}

function permission(findings: Findings, facts: Facts): Verdict {
  const { allow, granted, answered, doubtful, transforms, transformed, unknowns } = findings;
  const permitting = joinLists(joinLists(allow, granted), answered);
  if (permitting.length === 0 && transforms.length === 0) {
    const grantedInVain = doubtful.length === 0 ? none : doubtful.filter(({ effect }) => effect === "escalate");
    if (grantedInVain.length > 0) return restraint("deny", "evaluation_error", grantedInVain, findings);
    if (unknowns.length === 0) return plainVerdict("deny", "no_rule_matched", none, none, none);
    return verdictOf("deny", "no_rule_matched", { unknowns, ...unknownDetail(findings) });
  }
  // A rule that may match demands what it would demand if it did.
  const demanding = joinLists(joinLists(permitting, transforms), doubtful);
  const constraints = constraintsOf(demanding);
  const unsupported = constraints.filter(({ name }) => !facts.supportedConstraints.includes(name));
  if (unsupported.length > 0) {
    const names = unsupported.map(({ name }) => name);
    const blamed = demanding.filter((rule) => rule.constraints.some(({ name }) => names.includes(name)));
    const message = `${wording.constraint_unsupported.slice(0, -1)}: ${names.join(", ")}.`;
    return verdictOf("deny", "constraint_unsupported", { rules: blamed, unknowns, message });
  }
  if (transformed && "input" in transformed) {
    return verdictOf("transform", "rule_transformed", {
      rules: transforms,
      constraints,
      unknowns,
      transformedInput: transformed.input,
    });
  }
  const code = granted.length > 0 ? "approval_granted" : answered.length > 0 ? "clarified" : "rule_allowed";
  return plainVerdict("allow", code, permitting, constraints, unknowns);
}

/** One list after the other; nothing is copied where one of them is empty, as almost always. */
function joinLists(one: readonly CompiledRule[], other: readonly CompiledRule[]): readonly CompiledRule[] {
  if (other.length === 0) return one;
  return one.length === 0 ? other : [...one, ...other];
}

function constraintsOf(rules: readonly CompiledRule[]): readonly Constraint[] {
  for (const rule of rules) {
    if (rule.constraints.length > 0) return mergeConstraints(rules.map(({ constraints }) => constraints));
  }
  return none;
}

/** How many unknown rules a detail tells of; the verdict names them all. */
const toldMax = 20;

function unknownDetail({ unknowns }: Findings): { detail?: string } {
  if (unknowns.length === 0) return {};
  const told = unknowns.slice(0, toldMax).map(({ rule, why }) => `${rule.policy}/${rule.rule} is unknown: ${why}`);
  if (unknowns.length > toldMax) told.push(`and ${unknowns.length - toldMax} more`);
  return { detail: told.join("; ") };
}

function mergeQuestions(rules: readonly CompiledRule[]): Question[] {
  const questions = new Map<string, Question>();
  for (const question of rules.flatMap((rule) => rule.questions)) {
    const key = `${question.type} ${question.id}`;
    if (!questions.has(key)) questions.set(key, question);
  }
  return [...questions.values()];
}

function joined(texts: readonly (string | undefined)[]): string | undefined {
  const given = new Set(texts.filter((text) => text !== undefined));
  return given.size === 0 ? undefined : [...given].join(" ");
}
