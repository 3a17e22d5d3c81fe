import { firstAbove } from "../amount.ts";
import { evaluationStepsMax, type Meter } from "../cel/frame.ts";
import type { Compiled, CompiledTool } from "../compile/compile.ts";
import { type CheckBudget, schemaStepsMax } from "../compile/schema-work.ts";
import type { Steps } from "../compile/steps.ts";
import type { RuleGroup } from "../compile/tool-rules.ts";
import type { JsonObject } from "../json.ts";
import { costProblem, withCosts } from "./charges.ts";
import { combine, verdictOf } from "./combine.ts";
import type { Facts } from "./facts.ts";
import { type Findings, type Judging, judgeRules, judgeRulesInSteps, type Trace } from "./judge.ts";
import { exceededScope } from "./scope.ts";
import type { RuleRef, Verdict, WouldBe } from "./verdict.ts";

/**
 * The verdict of the compiled policies on a call. The order of its checks, of which the first refusal stands: the tool is
 * known, may be called, and has the schema that the caller goes by; input and context fit their schemas, and the
 * estimate the tool's maximum; every scope permits it; then the rules. Pure: the same arguments give the same verdict.
 * Throws on nothing that a call can contain.
 */
export function evaluate(compiled: Compiled, facts: Facts): Verdict {
  const tool = compiled.tools.get(facts.call.tool);
  const barred = tool && barredFrom(tool, facts.call);
  // An operator's own hand stops a call where everything else is only watched.
  if (barred?.code === "tool_suspended") return barred;
  return inMode(barred ?? (tool ? enforced(tool, facts) : verdictOf("deny", "tool_unknown", {})), facts);
}

/** The same, some rules at a time, telling `trace` of every rule that is judged. */
export function* evaluateInSteps(compiled: Compiled, facts: Facts, trace?: Trace): Steps<Verdict> {
  const tool = compiled.tools.get(facts.call.tool);
  const barred = tool && barredFrom(tool, facts.call);
  if (barred?.code === "tool_suspended") return barred;
  const verdict = barred ?? (tool ? yield* enforcedInSteps(tool, facts, trace) : verdictOf("deny", "tool_unknown", {}));
  return inMode(verdict, facts);
}

/** A verdict that policies would give: it binds unless they are only watched. */
function inMode(verdict: Verdict, { mode }: Facts): Verdict {
  if (mode !== "observe") return verdict;
  return {
    ...verdictOf("allow", "observed", { unknowns: verdict.unknowns }),
    mode: "observed",
    would: wouldBe(verdict),
  };
}

/**
 * What stands in the way of any call of a registered tool, whatever its input and the policies: it is suspended, or its
 * schema is another than the one that the call, or an earlier decision on it, goes by.
 */
export function barredTool(
  compiled: Compiled,
  call: Pick<Facts["call"], "tool" | "schemaDigest">,
): Verdict | undefined {
  const tool = compiled.tools.get(call.tool);
  return tool && barredFrom(tool, call);
}

function barredFrom(tool: CompiledTool, { schemaDigest }: Pick<Facts["call"], "schemaDigest">): Verdict | undefined {
  if (tool.suspended) return verdictOf("deny", "tool_suspended", {});
  if (schemaDigest === undefined || schemaDigest === tool.schemaDigest) return undefined;
  if (schemaDigest === tool.offeredSchema) return undefined;
  const detail = `registered: ${tool.schemaDigest || "no schema"}; the caller's: ${schemaDigest || "no schema"}`;
  // Once it is registered as the caller sees it, the same call may pass.
  return verdictOf("deny", "tool_schema_changed", { detail, retryable: true });
}

/** What one decision may take, all its rules and passes together, and all its checks against schemas. */
type Budget = Meter & CheckBudget;

function enforced(tool: CompiledTool, facts: Facts): Verdict {
  const budget: Budget = { steps: evaluationStepsMax, checkSteps: schemaStepsMax };
  const refused = refusedBeforePolicy(tool, facts, budget);
  if (refused) return refused;
  const groups = tool.rules.groupsFor(facts.agent.labels);
  const all: Judging = { tool, groups, facts, trace: undefined };
  if (!someObserved(groups)) return byPolicy(all, judgeRules(all, budget), budget);
  const bound = boundOf(all);
  const verdict = byPolicy(bound, judgeRules(bound, budget), budget);
  // On what is left: what is only watched costs no call its answer.
  return withObserved(verdict, byPolicy(all, judgeRules(all, budget), budget));
}

function* enforcedInSteps(tool: CompiledTool, facts: Facts, trace: Trace | undefined): Steps<Verdict> {
  const budget: Budget = { steps: evaluationStepsMax, checkSteps: schemaStepsMax };
  const refused = refusedBeforePolicy(tool, facts, budget);
  if (refused) return refused;
  const groups = tool.rules.groupsFor(facts.agent.labels);
  const all: Judging = { tool, groups, facts, trace };
  if (!someObserved(groups)) return byPolicy(all, yield* judgeRulesInSteps(all, budget), budget);
  const bound = boundOf(all);
  const verdict = byPolicy(bound, yield* judgeRulesInSteps(bound, budget), budget);
  const watched = { ...all, trace: trace && onlyObserved(trace) };
  return withObserved(verdict, byPolicy(watched, yield* judgeRulesInSteps(watched, budget), budget));
}

/** The same call, judged by the policies alone that bind. */
const boundOf = (judging: Judging): Judging => ({
  ...judging,
  groups: judging.groups.filter((group) => !group.observed),
});

/** The verdict of the policies that bind, and what it would be if those that are watched bound too. */
function withObserved(verdict: Verdict, observed: Verdict): Verdict {
  return sameOutcome(verdict, observed) ? verdict : { ...verdict, would: wouldBe(observed) };
}

function someObserved(groups: readonly RuleGroup[]): boolean {
  return groups.some(({ observed }) => observed);
}

/** What stops a call before any rule is asked: its input, its context, its estimate, the session's scope. */
function refusedBeforePolicy(tool: CompiledTool, facts: Facts, budget: Budget): Verdict | undefined {
  const invalid = tool.checkInput?.(facts.input, budget) ?? tool.checkContext?.(facts.context, budget);
  if (invalid) {
    const message = `The input does not fit the tool: ${invalid.path} ${invalid.message}.`;
    return verdictOf("deny", "input_invalid", { message });
  }
  const unknown = costProblem(tool, facts.input);
  if (unknown) return verdictOf("deny", "input_invalid", unknown);
  const above = aboveMaximum(tool, facts.call.estimate);
  if (above) {
    const message = `The estimate does not fit the tool: ${above.cost} is more than one call may cost.`;
    return verdictOf("deny", "input_invalid", { message, detail: `at most ${above.most}` });
  }
  return refusedByScope(tool, facts, facts.input, budget);
}

/** What a call would cost beyond its tool's maximum. */
export function aboveMaximum({ maximum }: CompiledTool, estimate: Facts["call"]["estimate"]) {
  const above = maximum && firstAbove(estimate, maximum);
  if (!above) return undefined;
  const most = maximum.find(({ unit }) => unit === above.unit)?.value;
  return { cost: `${above.value} ${above.unit}`, most: `${most} ${above.unit}` };
}

/** What the cost of an input that rules have changed stands in the way of. */
function refusedByCost(tool: CompiledTool, input: JsonObject): string | undefined {
  const unknown = costProblem(tool, input);
  if (unknown) return unknown.detail;
  const above = aboveMaximum(tool, withCosts(tool, input, []));
  return above && `${above.cost} is more than one call may cost: at most ${above.most}`;
}

function refusedByScope(tool: CompiledTool, facts: Facts, input: JsonObject, meter: Meter): Verdict | undefined {
  const { name, labels } = tool.facts;
  const call = { tool: name, toolLabels: labels, input, principal: facts.principal.id, now: facts.now };
  const excess = exceededScope(facts.scopes, call, meter, facts.scopesRead);
  if (!excess) return undefined;
  const message = `The call exceeds what this session may do: ${excess.message}.`;
  const remedy = excess.remedy !== undefined && { remedy: `Allowed: ${excess.remedy}.` };
  return verdictOf("deny", "scope_exceeded", { message, detail: excess.detail, ...remedy });
}

function byPolicy({ tool, facts }: Judging, findings: Findings, budget: Budget): Verdict {
  const { transformed, transforms, unknowns, exhausted } = findings;
  if (!exhausted && transformed && "input" in transformed) {
    const invalid = tool.checkInput?.(transformed.input, budget);
    const detail = invalid
      ? `${invalid.path} ${invalid.message}`
      : tool.costs.computed && refusedByCost(tool, transformed.input);
    if (detail) {
      return verdictOf("deny", "transform_invalid", { rules: transforms, unknowns, detail });
    }
    // A policy may not force what the session's scope forbids.
    const refused = refusedByScope(tool, facts, transformed.input, budget);
    if (refused) return { ...refused, rules: transforms.map(({ ref }) => ref), unknowns };
  }
  return combine(findings, facts);
}

function onlyObserved(trace: Trace): Trace {
  return (rule, result, frame) => {
    if (rule.observed) trace(rule, result, frame);
  };
}

function wouldBe({ effect, code, message, retryable, rules, detail, remedy }: Verdict): WouldBe {
  return {
    ...{ effect, code, message, retryable, rules },
    ...(detail === undefined ? {} : { detail }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function sameOutcome(one: Verdict, other: Verdict): boolean {
  if (one.effect !== other.effect || one.code !== other.code || one.rules.length !== other.rules.length) return false;
  return one.rules.every((ref, at) => sameRule(ref, other.rules[at]));
}

function sameRule(one: RuleRef, other: RuleRef | undefined): boolean {
  if (one === other) return true;
  return one.policy === other?.policy && one.version === other.version && one.rule === other.rule;
}
