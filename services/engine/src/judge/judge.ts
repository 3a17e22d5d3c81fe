import { added } from "../added.ts";
import {
  type AmountsRead,
  evaluationStepsMax,
  type Frame,
  type LazyTime,
  type Meter,
  noAmountsRead,
} from "../cel/frame.ts";
import type { Failure } from "../cel/value.ts";
import type { CompiledTool } from "../compile/compile.ts";
import { type CompiledRule, judgeRule } from "../compile/rule.ts";
import type { Steps } from "../compile/steps.ts";
import type { RuleGroup } from "../compile/tool-rules.ts";
import type { JsonObject } from "../json.ts";
import { answersSeenBy, noAnswers, questionsAnswered, validAnswers } from "./answers.ts";
import { askOthers, askTransforms } from "./ask-program.ts";
import { withCosts } from "./charges.ts";
import type { Facts } from "./facts.ts";
import { type MatchedTransform, type Transformed, transformInput } from "./transform.ts";
import type { UnknownRule } from "./verdict.ts";

/** Told of every rule that is judged, with what came out and what it was judged on. */
export type Trace = (rule: CompiledRule, result: boolean | Failure, frame: Frame) => void;

/** What is judged: a call of a tool, and the rule groups that apply to it. */
export interface Judging {
  readonly tool: CompiledTool;
  readonly groups: readonly RuleGroup[];
  readonly facts: Facts;
  readonly trace: Trace | undefined;
}

/** Which rules matched, each list in the order of the policies. Lists grow by {@link added} alone. */
export interface Findings {
  deny: CompiledRule[];
  clarify: CompiledRule[];
  escalate: CompiledRule[];
  allow: CompiledRule[];
  /** Escalating rules whose requirement was granted for this call: they count as allows. */
  granted: CompiledRule[];
  /**
   * Rules that would permit if they matched, and are unknown: allows, and escalations that were granted. They permit
   * nothing, and what they demand of the caller is demanded.
   */
  doubtful: CompiledRule[];
  /** Clarifying rules whose questions were answered: they count as allows. */
  answered: CompiledRule[];
  /** Transforms that were applied, or that could not be. */
  readonly transforms: CompiledRule[];
  /** Transforms that are unknown: what the call's input should be is not known then, so nothing may permit it. */
  readonly unknownTransforms: CompiledRule[];
  readonly transformed: Transformed | undefined;
  /** Rules whose conditions were neither true nor false, matched or not. */
  readonly unknowns: readonly UnknownRule[];
  /** Set where the steps of the decision ran out: the rules after that were not judged. */
  readonly exhausted?: boolean;
}

// Most lists of most calls stay empty: they are all this one, and nothing is ever written to it.
const none: never[] = [];

/** One evaluation under way: what its passes share. */
export interface Pass {
  readonly judging: Judging;
  readonly meter: Meter;
  readonly now: LazyTime;
  readonly amounts: AmountsRead;
  unknowns: UnknownRule[];
}

/** What judging a rule takes beside its conditions. */
const ruleSteps = 1;

/**
 * Judges every rule of the groups: the transforms on the input as proposed, the others on what they made of it. Where the
 * meter runs out nothing more is judged.
 */
export function judgeRules(judging: Judging, meter: Meter = { steps: evaluationStepsMax }): Findings {
  const answers = validAnswers(judging.facts.answers, judging.tool.rules);
  const pass = newPass(judging, meter);
  const findings = newFindings(pass, judgeTransforms(pass, answers));
  const input = inputOfOthers(judging, findings);
  if (!input) return ended(pass, findings);
  const judged = findings.transformed ? costing(pass, input) : pass;
  judgeOthers(judged, input, answers, findings);
  return ended(judged, findings);
}

/** The same, some rules at a time. */
export function* judgeRulesInSteps(judging: Judging, meter: Meter): Steps<Findings> {
  const answers = validAnswers(judging.facts.answers, judging.tool.rules);
  const pass = newPass(judging, meter);
  const findings = newFindings(pass, yield* judgeTransformsInSteps(pass, answers));
  const input = inputOfOthers(judging, findings);
  if (!input) return ended(pass, findings);
  const judged = findings.transformed ? costing(pass, input) : pass;
  yield* judgeOthersInSteps(judged, input, answers, findings);
  return ended(judged, findings);
}

const newPass = (judging: Judging, meter: Meter): Pass => ({
  judging,
  meter,
  now: { text: judging.facts.now, value: undefined },
  amounts: noAmountsRead(),
  unknowns: none,
});

type Found = { -readonly [Name in keyof Findings]: Findings[Name] };

function newFindings({ judging, unknowns }: Pass, { matched, unknownTransforms }: TransformsFound): Found {
  return {
    deny: none,
    clarify: none,
    escalate: none,
    allow: none,
    granted: none,
    doubtful: none,
    answered: none,
    transforms: matched.length > 0 ? matched.map(({ rule }) => rule) : none,
    unknownTransforms,
    transformed: matched.length > 0 ? transformInput(judging.facts.input, matched) : undefined,
    unknowns,
    exhausted: false,
  };
}

/** What the rules that do not transform are judged on; undefined where transforms made nothing that could be judged. */
function inputOfOthers({ facts }: Judging, { transformed }: Findings): JsonObject | undefined {
  if (!transformed) return facts.input;
  return "input" in transformed ? transformed.input : undefined;
}

function ended({ meter, unknowns }: Pass, findings: Found): Findings {
  findings.unknowns = unknowns;
  findings.exhausted = meter.steps < 0;
  return findings;
}

/** The same pass, where what the call costs is that of the changed input, if that is more. */
function costing(pass: Pass, input: JsonObject): Pass {
  const { tool, facts } = pass.judging;
  if (!tool.costs.computed) return pass;
  const estimate = withCosts(tool, input, facts.call.estimate);
  const judging = { ...pass.judging, facts: { ...facts, call: { ...facts.call, estimate } } };
  return { ...pass, judging, amounts: noAmountsRead() };
}

interface TransformsFound {
  readonly matched: MatchedTransform[];
  readonly unknownTransforms: CompiledRule[];
}
const noTransforms: TransformsFound = { matched: none, unknownTransforms: none };

/** Rules that are judged in one step where steps are asked for. */
const rulesAtOnce = 100;
const ruleCost = 0.1;

/** The rules of a list, some at a time. */
function* piecesOf(rules: readonly CompiledRule[]): Generator<readonly CompiledRule[]> {
  for (let from = 0; from < rules.length; from += rulesAtOnce) yield rules.slice(from, from + rulesAtOnce);
}

function judgeTransforms(pass: Pass, answers: JsonObject): TransformsFound {
  let found = noTransforms;
  let shared: Frame["shared"];
  for (const group of pass.judging.groups) {
    if (group.transforms.length === 0 || pass.meter.steps < 0) continue;
    if (found === noTransforms) found = { matched: [], unknownTransforms: [] };
    shared ??= newShared(pass);
    judgeTransformsOf(group.transforms, newFrame(pass, group, pass.judging.facts.input, answers, shared), pass, found);
  }
  return found;
}

function* judgeTransformsInSteps(pass: Pass, answers: JsonObject): Steps<TransformsFound> {
  const found = { matched: [], unknownTransforms: [] };
  const shared = newShared(pass);
  for (const group of pass.judging.groups) {
    const frame = newFrame(pass, group, pass.judging.facts.input, answers, shared);
    for (const rules of piecesOf(group.transforms)) {
      judgeTransformsOf(rules, frame, pass, found);
      yield rules.length * ruleCost;
    }
  }
  return found;
}

function judgeTransformsOf(rules: readonly CompiledRule[], frame: Frame, pass: Pass, found: TransformsFound): void {
  for (const rule of rules) {
    if (pass.meter.steps < 0) return;
    if (rule.program) {
      askTransforms({ rule, program: rule.program, frame, pass, ...found });
      continue;
    }
    const result = judge(pass, rule, frame);
    if (result === true) found.matched.push({ rule, frame });
    else if (result !== false) found.unknownTransforms.push(rule);
  }
}

function judgeOthers(pass: Pass, input: JsonObject, answers: JsonObject, findings: Findings): void {
  const shared = newShared(pass);
  // Of a thousand policies most have no variables: nothing then tells their frames apart.
  let plain: Frame | undefined;
  for (const group of pass.judging.groups) {
    if (group.others.length === 0 || pass.meter.steps < 0) continue;
    const isPlain = group.variableCount === 0;
    const frame = (isPlain ? plain : undefined) ?? newFrame(pass, group, input, answers, shared);
    if (isPlain) plain = frame;
    judgeOthersOf(group, group.others, frame, pass, findings);
  }
}

function* judgeOthersInSteps(pass: Pass, input: JsonObject, answers: JsonObject, findings: Findings): Steps<void> {
  const shared = newShared(pass);
  for (const group of pass.judging.groups) {
    const frame = newFrame(pass, group, input, answers, shared);
    for (const rules of piecesOf(group.others)) {
      judgeOthersOf(group, rules, frame, pass, findings);
      yield rules.length * ruleCost;
    }
  }
}

/** Judges rules of a group, all of them or some. */
function judgeOthersOf(
  group: RuleGroup,
  rules: readonly CompiledRule[],
  frame: Frame,
  pass: Pass,
  findings: Findings,
): void {
  const { input, answers } = frame;
  // Of very many, each by its place: what an iterator answers is an object a rule, until much later.
  for (let at = 0; at < rules.length; at++) {
    const rule = rules[at] as CompiledRule;
    if (pass.meter.steps < 0) return;
    if (rule.program) {
      askOthers({ rule, program: rule.program, frame, pass, findings });
      continue;
    }
    const seen = answersSeenBy(rule, answers, pass.meter);
    const result = judge(pass, rule, seen === answers ? frame : newFrame(pass, group, input, seen));
    if (result !== false) note(rule, result, findings, pass);
    else if (answers !== noAnswers && rule.effect === "clarify" && questionsAnswered(rule, answers)) {
      // Answered, and not just silent: without the answers it would have asked.
      if (judgeRule(rule, newFrame(pass, group, input, noAnswers)) === true)
        findings.answered = added(findings.answered, rule);
    }
  }
}

/** Where rules and policies of a pass share what several of them ask; undefined where nothing is asked twice. */
const newShared = ({ judging }: Pass): Frame["shared"] => (judging.tool.rules.repeats ? new Map() : undefined);

function newFrame(
  { judging, meter, now, amounts }: Pass,
  group: RuleGroup,
  input: JsonObject,
  answers: JsonObject,
  shared?: Frame["shared"],
): Frame {
  const variables = group.variableCount === 0 ? noVariables : new Array(group.variableCount);
  const { facts, tool } = judging;
  return { facts, tool: tool.facts, input, answers, now, amounts, meter, variables, locals: [], shared };
}

/** The same facts, to compute on once more: it takes no steps from the call's own evaluation. */
export function spareFrame(frame: Frame): Frame {
  return { ...frame, meter: { steps: evaluationStepsMax }, variables: [], locals: [], shared: undefined };
}

// Shared by every frame without variables; nothing is ever written to it.
const noVariables: [] = [];

function judge(pass: Pass, rule: CompiledRule, frame: Frame): boolean | Failure {
  frame.meter.steps -= ruleSteps;
  const result = judgeRule(rule, frame);
  if (result !== false) frame.meter.steps -= rule.told;
  pass.judging.trace?.(rule, result, frame);
  if (typeof result !== "boolean") pass.unknowns = added(pass.unknowns, { rule: rule.ref, why: result.why });
  return result;
}

/**
 * Where unknown is decided for all rules but transforms: a rule that restrains matches, one that permits does not. A
 * grant lifts the restraint of its rule, known or not, and permits only where the rule is known to match.
 */
export function note(rule: CompiledRule, result: true | Failure, findings: Findings, pass: Pass): void {
  switch (rule.effect) {
    case "deny":
      findings.deny = added(findings.deny, rule);
      return;
    case "clarify":
      findings.clarify = added(findings.clarify, rule);
      return;
    case "escalate":
      if (!isGranted(rule, pass)) findings.escalate = added(findings.escalate, rule);
      else if (result === true) findings.granted = added(findings.granted, rule);
      else findings.doubtful = added(findings.doubtful, rule);
      return;
    default:
      if (result === true) findings.allow = added(findings.allow, rule);
      else findings.doubtful = added(findings.doubtful, rule);
  }
}

/** Each grant that is looked at takes a step: very many rules may escalate. */
function isGranted({ ref }: CompiledRule, { judging, meter }: Pass): boolean {
  const { granted = [] } = judging.facts;
  meter.steps -= granted.length;
  return granted.some(
    ({ policy, version, rule }) => policy === ref.policy && version === ref.version && rule === ref.rule,
  );
}
