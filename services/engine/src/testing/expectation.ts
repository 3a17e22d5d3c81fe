import { compileConstraints } from "../compile/constraints.ts";
import type { ConstraintsDocument } from "../documents/policy.ts";
import { effects } from "../documents/policy.ts";
import { durationText, nameText, prose } from "../documents/read-names.ts";
import { constraintsShape } from "../documents/read-policy.ts";
import {
  anyObject,
  flag,
  integer,
  listOf,
  oneOf,
  optional,
  type Reader,
  record,
  required,
  text,
} from "../documents/shape.ts";
import { parseDurationMs } from "../duration.ts";
import { isJsonObject, type JsonObject, type JsonValue, sameJson } from "../json.ts";
import type { ApprovalRequirement, Question, RuleRef, Verdict } from "../judge/verdict.ts";

type EffectName = (typeof effects)[number];

interface ExpectedWould {
  readonly effect: EffectName;
  readonly code?: string;
  readonly rules?: readonly string[];
}

interface ExpectedQuestion {
  readonly id: string;
  readonly type?: string;
  readonly ask?: string;
}

interface ExpectedRequirement {
  /** `rule`, or `policy/rule`. */
  readonly rule?: string;
  readonly approvers?: readonly string[];
  readonly quorum?: number;
  readonly expires?: string;
}

/** What a case expects of the verdict. What is not named is not compared. */
export interface Expectation {
  readonly effect: EffectName;
  readonly code?: string;
  /** Exactly these, in any order: `rule`, or `policy/rule`. */
  readonly rules?: readonly string[];
  readonly message?: string;
  readonly remedy?: string;
  readonly retryable?: boolean;
  readonly transformedInput?: JsonObject;
  /** Exactly these questions, in any order, by id or with what is given of them. */
  readonly questions?: readonly (string | ExpectedQuestion)[];
  /** Exactly these requirements, in any order. */
  readonly approval?: readonly ExpectedRequirement[];
  /** Exactly these; an empty map is none. */
  readonly constraints?: ConstraintsDocument;
  /** What observed policies, or an observed subject, would have had; `none` is that nothing else would have been. */
  readonly would?: EffectName | "none" | ExpectedWould;
  /** Exactly these rules were unknown, in any order. */
  readonly unknown?: readonly string[];
}

const ruleNames = listOf(text(), 0, 100);

/** Reads one of two shapes by whether the value is text. */
function textOr<T extends string, U>(word: Reader<T>, other: Reader<U>): Reader<T | U> {
  return (value, pointer, report) =>
    typeof value === "string" ? word(value, pointer, report) : other(value, pointer, report);
}

const wouldShape = record({
  effect: required(oneOf(effects)),
  code: optional(text()),
  rules: optional(ruleNames),
});
const questionShape = record({ id: required(text()), type: optional(text()), ask: optional(prose) });
const requirementShape = record({
  rule: optional(text()),
  approvers: optional(listOf(text(undefined, 256), 1, 50)),
  quorum: optional(integer(1, 20)),
  expires: optional(durationText),
});

export const expectationFields = {
  effect: required(oneOf(effects)),
  code: optional(nameText),
  rules: optional(ruleNames),
  message: optional(prose),
  remedy: optional(prose),
  retryable: optional(flag),
  transformedInput: optional(anyObject),
  questions: optional(listOf(textOr(text(), questionShape), 0, 50)),
  approval: optional(listOf(requirementShape, 0, 50)),
  constraints: optional(constraintsShape),
  would: optional(textOr(oneOf([...effects, "none"]), wouldShape)),
  unknown: optional(ruleNames),
};

/** One thing that is otherwise than expected; both sides as text. */
export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}

/** Where a verdict is otherwise than expected, in the order of the expectation's fields. */
export function differences(expect: Expectation, verdict: Verdict): Difference[] {
  const found: Difference[] = [];
  const compare = (what: string, expected: string | undefined, actual: string | undefined) => {
    if (expected !== undefined && expected !== actual) found.push({ what, expected, actual: actual ?? "none" });
  };
  const compareRules = (what: string, expected: readonly string[] | undefined, rules: readonly RuleRef[]) => {
    if (expected) compare(what, listed(expected), listed(namesLike(expected, rules)));
  };
  const { would } = expect;
  compare("effect", expect.effect, verdict.effect);
  compare("code", expect.code, verdict.code);
  compare("message", expect.message, verdict.message);
  compare("remedy", expect.remedy, verdict.remedy);
  compare("retryable", expect.retryable?.toString(), verdict.retryable.toString());
  compare("would", typeof would === "object" ? would.effect : would, verdict.would?.effect ?? "none");
  if (typeof would === "object") {
    compare("would.code", would.code, verdict.would?.code);
    compareRules("would.rules", would.rules, verdict.would?.rules ?? []);
  }
  compareRules("rules", expect.rules, verdict.rules);
  compareRules(
    "unknown",
    expect.unknown,
    verdict.unknowns.map(({ rule }) => rule),
  );
  compareInput(expect, verdict, compare);
  compareParameters(expect, verdict, compare);
  return found;
}

type Compare = (what: string, expected: string | undefined, actual: string | undefined) => void;

function compareInput({ transformedInput: expected }: Expectation, { transformedInput }: Verdict, compare: Compare) {
  if (!expected || (transformedInput && sameJson(expected, transformedInput))) return;
  compare("input", shown(expected), shown(transformedInput));
}

function compareParameters(expect: Expectation, verdict: Verdict, compare: Compare): void {
  const { questions, approval, constraints } = expect;
  const asked = verdict.questions ?? [];
  const required = verdict.approval?.requirements ?? [];
  if (questions && !pairUp(questions, asked, sameQuestion)) compare("questions", shown(questions), shown(asked));
  if (approval && !pairUp(approval, required, sameRequirement)) {
    compare("approval", shown(approval), shown(required.map(writtenRequirement)));
  }
  if (!constraints) return;
  const wanted = writtenConstraints(compileConstraints(constraints));
  const given = writtenConstraints(verdict.constraints);
  if (!sameJson(wanted, given)) compare("constraints", shown(wanted), shown(given));
}

/** Whether each expected thing is one of the actual ones, and none is left over. */
function pairUp<E, A>(
  expected: readonly E[],
  actual: readonly A[],
  fits: (expected: E, actual: A) => boolean,
): boolean {
  const left = [...actual];
  for (const one of expected) {
    const at = left.findIndex((candidate) => fits(one, candidate));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return left.length === 0;
}

function sameQuestion(expected: string | ExpectedQuestion, question: Question): boolean {
  if (typeof expected === "string") return expected === question.id;
  const { id, type = question.type, ask = question.ask } = expected;
  return id === question.id && type === question.type && ask === question.ask;
}

function sameRequirement(expected: ExpectedRequirement, requirement: ApprovalRequirement): boolean {
  const { rule, approvers, quorum = requirement.quorum, expires } = expected;
  const { policy, rule: id } = requirement.rule;
  if (rule !== undefined && rule !== id && rule !== `${policy}/${id}`) return false;
  if (approvers && listed(approvers) !== listed(requirement.approvers)) return false;
  const seconds = expires === undefined ? undefined : Math.ceil((parseDurationMs(expires) ?? 0) / 1000);
  return quorum === requirement.quorum && (seconds === undefined || seconds === requirement.expiresSeconds);
}

function writtenRequirement({ rule, approvers, quorum, expiresSeconds }: ApprovalRequirement): JsonObject {
  return { rule: `${rule.policy}/${rule.rule}`, approvers, quorum, expires: `${expiresSeconds}s` };
}

/** Constraints as a document writes them. */
function writtenConstraints(constraints: Verdict["constraints"]): JsonObject {
  const written: Record<string, JsonValue> = {};
  for (const constraint of constraints) {
    if (constraint.name === "timeout") written.timeout = `${constraint.durationMs}ms`;
    else if (constraint.name === "maxOutputBytes") written.maxOutputBytes = constraint.integer;
    else if (constraint.name === "redactOutput") written.redactOutput = [...constraint.strings].sort();
    else written.requireIdempotencyKey = constraint.flag;
  }
  return written;
}

function shown(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value, sortedKeys);
}

function sortedKeys(_: string, value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Rules as the expectation names them: with their policy only where it does. */
function namesLike(expected: readonly string[], rules: readonly RuleRef[]): string[] {
  return rules.map(({ policy, rule }) => (expected.includes(`${policy}/${rule}`) ? `${policy}/${rule}` : rule));
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : [...names].sort().join(", ");
}
