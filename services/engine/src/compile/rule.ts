import type { Frame } from "../cel/frame.ts";
import { Failure } from "../cel/value.ts";
import type { Effect } from "../documents/policy.ts";
import type { JsonValue } from "../json.ts";
import type { ApprovalRequirement, Constraint, Question, RuleRef } from "../judge/verdict.ts";
import type { Program } from "../languages/program.ts";
import type { Compiled as CompiledExpression, Judge } from "./condition.ts";
import { toldSteps } from "./told-steps.ts";

export interface CompiledCondition {
  readonly text: string;
  readonly judge: Judge;
  /** Equal for conditions that mean the same; absent where nobody can tell. */
  readonly key?: string;
}

/** One value that a transform rule sets: a literal or an expression. */
export interface Setting {
  readonly path: readonly string[];
  readonly literal?: JsonValue;
  readonly run?: CompiledExpression["run"];
}

/** A rule, ready to be judged. */
export interface CompiledRule {
  readonly ref: RuleRef;
  readonly effect: Effect;
  readonly observed: boolean;
  readonly when: readonly CompiledCondition[];
  readonly unless: readonly CompiledCondition[];
  readonly constraints: readonly Constraint[];
  readonly settings: readonly Setting[];
  readonly questions: readonly Question[];
  readonly requirement?: ApprovalRequirement;
  readonly summary?: string;
  readonly message?: string;
  readonly remedy?: string;
  /** The steps that telling of it takes where it matches or is unknown. */
  readonly told: number;
  /** Of a policy in another language: asked in the place of conditions, and answers with the rules that match. */
  readonly program?: Program;
}

/** A rule before anybody knows what it is called. */
export type UnnamedRule = Omit<CompiledRule, "ref" | "observed" | "told">;

export function namedRule(rule: UnnamedRule, ref: RuleRef, observed: boolean): CompiledRule {
  const requirement = rule.requirement && { ...rule.requirement, rule: ref };
  const named = { ...rule, ref, observed, ...(requirement ? { requirement } : {}) };
  return { ...named, told: toldSteps(named) };
}

/** Whether the rule's conditions hold: all of `when`, and not all of `unless`. A failure says why that is unknown. */
export function judgeRule(rule: CompiledRule, frame: Frame): boolean | Failure {
  const wanted = judgeAll(rule.when, frame);
  if (wanted === false || rule.unless.length === 0) return wanted;
  const excepted = judgeAll(rule.unless, frame);
  if (excepted === true) return false;
  return wanted === true && excepted === false ? true : wanted instanceof Failure ? wanted : excepted;
}

/** False as soon as one is false; otherwise unknown if one is. */
function judgeAll(conditions: readonly CompiledCondition[], frame: Frame): boolean | Failure {
  let failure: Failure | undefined;
  for (let at = 0; at < conditions.length; at++) {
    const holds = (conditions[at] as CompiledCondition).judge(frame);
    if (holds === false) return false;
    if (holds !== true) failure ??= holds;
  }
  return failure ?? true;
}
