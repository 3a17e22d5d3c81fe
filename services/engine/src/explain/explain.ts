import type { Frame } from "../cel/frame.ts";
import { Failure } from "../cel/value.ts";
import type { Compiled } from "../compile/compile.ts";
import type { CompiledCondition, CompiledRule } from "../compile/rule.ts";
import { finish, finishInSlices, type Steps } from "../compile/steps.ts";
import type { Effect } from "../documents/policy.ts";
import { ownValue } from "../json.ts";
import { evaluateInSteps } from "../judge/evaluate.ts";
import type { Facts } from "../judge/facts.ts";
import { spareFrame, type Trace } from "../judge/judge.ts";
import type { RuleRef, Verdict } from "../judge/verdict.ts";
import { type ExplainedCheck, explainChecks } from "./checks.ts";
import {
  type ExplainedCondition,
  type ExplainedSetting,
  type PolicyExplainer,
  policyExplainer,
  type RuleDetails,
} from "./conditions.ts";
import { redactedText } from "./shown-value.ts";

/** How one rule came out. */
export interface ConsideredRule {
  readonly rule: RuleRef;
  readonly effect: Effect;
  readonly mode: "enforce" | "observe";
  readonly result: "true" | "false" | "unknown";
  /** The condition that decided, or why none could. */
  readonly why: string;
  /** With the values that decided; empty for rules that have none, or that are beyond those explained in detail. */
  readonly conditions: readonly ExplainedCondition[];
  /** Of a transform that matched. */
  readonly settings: readonly ExplainedSetting[];
}

/** Rules that were not considered, counted. */
export interface SkippedRules {
  /** Their policies are for agents with other labels. */
  readonly otherAgents: number;
  /** They are about other tools. */
  readonly otherTools: number;
  /** The call was refused before they were asked. */
  readonly notReached: number;
  /** They were considered and left out of a list that was too long. */
  readonly notListed?: number;
}

export interface Explanation {
  readonly verdict: Verdict;
  /** What was asked before the rules. */
  readonly checks: readonly ExplainedCheck[];
  /** In the order they were judged: transforms first, then the others on the transformed input. */
  readonly considered: readonly ConsideredRule[];
  readonly skipped: SkippedRules;
}

/** So many rules are explained with their conditions: those that decided and those that are unknown before others. */
const detailedRulesMax = 100;

/**
 * The verdict on a call with every rule that was judged for it, and what its conditions were made of. Values that the
 * called tool redacts are nowhere in it but in what the verdict, the checks and policies of other languages say.
 */
export function explain(compiled: Compiled, facts: Facts): Explanation {
  return finish(explainSteps(compiled, facts));
}

/** The same in slices of some milliseconds; between them it awaits `pause`, so that it holds nobody up. */
export function explainInSlices(compiled: Compiled, facts: Facts, pause: () => Promise<void>): Promise<Explanation> {
  return finishInSlices(explainSteps(compiled, facts), pause);
}

/** The same, a piece at a time. */
export function* explainSteps(compiled: Compiled, facts: Facts): Steps<Explanation> {
  const judged: JudgedRule[] = [];
  const note: Trace = (rule, result, frame) => judged.push({ rule, result, frame });
  const verdict = yield* evaluateInSteps(compiled, facts, note);
  const detailed = yield* detailedOf(judged, verdict);
  const explainer = explainers(compiled, facts);
  const considered: ConsideredRule[] = [];
  for (const one of judged) {
    const { rule, result, frame } = one;
    const details = detailed.has(one) ? yield* explainer.explain(rule, frame) : undefined;
    if (rule.effect === "transform" && result === true) explainer.note(rule, details);
    considered.push({
      rule: rule.ref,
      effect: rule.effect,
      mode: rule.observed ? "observe" : "enforce",
      result: result instanceof Failure ? "unknown" : result ? "true" : "false",
      why: result instanceof Failure ? result.why : decider(rule, result, frame),
      ...shownDetails(details, result),
    });
    yield 1;
  }
  return {
    verdict,
    checks: explainChecks(compiled, facts),
    considered,
    skipped: yield* skippedRules(compiled, facts, considered),
  };
}

interface JudgedRule {
  readonly rule: CompiledRule;
  readonly result: boolean | Failure;
  readonly frame: Frame;
}

const judgedPerStep = 50;

/** Those that are explained with their conditions. */
function* detailedOf(judged: readonly JudgedRule[], { rules, would }: Verdict): Steps<ReadonlySet<JudgedRule>> {
  const decided = new Set([...rules, ...(would?.rules ?? [])]);
  yield decided.size / judgedPerStep;
  const ranks: readonly [JudgedRule[], JudgedRule[], JudgedRule[]] = [[], [], []];
  for (const one of judged) {
    const { rule, result } = one;
    // What transforms set is what the others are judged on.
    const decides = decided.has(rule.ref) || (rule.effect === "transform" && result === true);
    ranks[decides ? 0 : result instanceof Failure ? 1 : 2].push(one);
    yield 1 / judgedPerStep;
  }
  return new Set(ranks.flat().slice(0, detailedRulesMax));
}

function shownDetails(details: RuleDetails | undefined, result: boolean | Failure): RuleDetails {
  if (!details) return { conditions: [], settings: [] };
  return result === true ? details : { ...details, settings: [] };
}

/** Explains rules, transforms before the others. */
interface Explainers {
  readonly explain: (rule: CompiledRule, frame: Frame) => Steps<RuleDetails | undefined>;
  /** Takes note of what a transform sets: where it has put what is redacted, that is redacted too. */
  readonly note: (rule: CompiledRule, details: RuleDetails | undefined) => void;
}

function explainers({ policies, tools }: Compiled, facts: Facts): Explainers {
  const proposed = tools.get(facts.call.tool)?.document.spec.redact ?? [];
  const redacted = new Set(proposed);
  const made = new Map<string, PolicyExplainer | undefined>();
  return {
    *explain(rule, frame) {
      const transforms = rule.effect === "transform";
      const { policy } = rule.ref;
      const key = `${policy} ${transforms}`;
      if (!made.has(key)) {
        const compiled = policies.find(({ document }) => document.metadata.name === policy);
        made.set(key, compiled && (yield* policyExplainer(compiled, transforms ? proposed : [...redacted])));
      }
      const explainer = made.get(key);
      return explainer && (yield* explainer(rule, frame));
    },
    note: ({ settings }, details) => {
      if (proposed.length === 0) return;
      // What was not explained may have put anything anywhere.
      if (settings.length > (details?.settings.length ?? 0)) redacted.add("input");
      for (const { path, after } of details?.settings ?? []) if (after === redactedText) redacted.add(path);
    },
  };
}

/** Rules of policies in other languages are known once they answer, and are not counted. */
function* skippedRules(compiled: Compiled, facts: Facts, considered: readonly ConsideredRule[]): Steps<SkippedRules> {
  const { labels } = facts.agent;
  let [all, otherAgents] = [0, 0];
  for (const policy of compiled.policies) {
    let count = 0;
    for (const { rule } of policy.rules) {
      if (!rule.program) count++;
      yield 1 / countedPerStep;
    }
    all += count;
    if (!policy.labels.every(([name, value]) => ownValue(labels, name) === value)) otherAgents += count;
    yield 1 / judgedPerStep;
  }
  const tool = compiled.tools.get(facts.call.tool);
  if (!tool) return { otherAgents: 0, otherTools: 0, notReached: all };
  const reached = new Set(considered.map(({ rule }) => rule));
  yield reached.size / judgedPerStep;
  let [applicable, notReached] = [0, 0];
  for (const { transforms, others } of tool.rules.groupsFor(labels)) {
    for (const rules of [transforms, others]) {
      for (const { program, ref } of rules) {
        if (program) continue;
        applicable++;
        if (!reached.has(ref)) notReached++;
        yield 1 / judgedPerStep;
      }
    }
  }
  return { otherAgents, otherTools: all - otherAgents - applicable, notReached };
}

const countedPerStep = 500;

function decider(rule: CompiledRule, result: boolean, frame: Frame): string {
  const spare = spareFrame(frame);
  const failing = (conditions: readonly CompiledCondition[]) => conditions.find(({ judge }) => judge(spare) === false);
  const [when, unless] = [failing(rule.when), failing(rule.unless)];
  if (!result)
    return when ? `when is false: ${when.text}` : `unless is true: ${rule.unless.map(({ text }) => text).join(" && ")}`;
  if (unless) return `unless is false: ${unless.text}`;
  return rule.when.length > 0
    ? `when is true: ${rule.when.map(({ text }) => text).join(" && ")}`
    : "it has no conditions";
}
