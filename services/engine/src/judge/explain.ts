import type { Frame } from "../cel/frame.ts";
import { Failure } from "../cel/value.ts";
import type { Compiled } from "../compile/compile.ts";
import type { CompiledCondition, CompiledRule } from "../compile/rule.ts";
import type { Effect } from "../documents/policy.ts";
import { evaluateTraced } from "./evaluate.ts";
import type { Facts } from "./facts.ts";
import { spareFrame } from "./judge.ts";
import type { RuleRef, Verdict } from "./verdict.ts";

/** How one rule came out. */
export interface ConsideredRule {
  readonly rule: RuleRef;
  readonly effect: Effect;
  readonly mode: "enforce" | "observe";
  readonly result: "true" | "false" | "unknown";
  /** The condition that decided, or why none could. */
  readonly why: string;
}

export interface Explanation {
  readonly verdict: Verdict;
  /** In the order they were judged: transforms first, then the others on the transformed input. */
  readonly considered: readonly ConsideredRule[];
}

/** The verdict on a call with every rule that was judged for it: rules that could not match the tool are not. */
export function explain(compiled: Compiled, facts: Facts): Explanation {
  const considered: ConsideredRule[] = [];
  const verdict = evaluateTraced(compiled, facts, (rule, result, frame) => {
    considered.push({
      rule: rule.ref,
      effect: rule.effect,
      mode: rule.observed ? "observe" : "enforce",
      result: result instanceof Failure ? "unknown" : result ? "true" : "false",
      why: result instanceof Failure ? result.why : decider(rule, result, frame),
    });
  });
  return { verdict, considered };
}

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
