import type { Facts, JsonObject, PolicyDocument, RuleRef, ToolDocument } from "../src/index.ts";
import { aboveMaximum, excessOf, misfits } from "./naive/before-policy.ts";
import { byRules } from "./naive/by-rules.ts";
import { deny, type NaiveVerdict } from "./naive/combined.ts";
import type { Flaw } from "./naive/flaws.ts";
import { type Parse, type PlacedRule, parsing } from "./naive/judgement.ts";
import { appliesTo, namesTool } from "./naive/match.ts";
import { schemaDigest } from "./sample.ts";

export { globFits } from "./naive/match.ts";

/** Documents as they are in force. */
export interface World {
  readonly policies: readonly { readonly document: PolicyDocument; readonly version: number }[];
  readonly tools: readonly ToolDocument[];
}

/**
 * The verdict of documents on calls, by reading every document from top to bottom: no index, nothing compiled, nothing
 * shared between rules, conditions walked as trees. It is the engine's declared meaning, written a second time.
 */
export function naively(world: World, flaw?: Flaw): (facts: Facts) => NaiveVerdict {
  const parse = parsing();
  return (facts) => {
    const tool = world.tools.find(({ metadata }) => metadata.name === facts.call.tool);
    const barred = tool && barrier(tool, facts, flaw);
    if (barred?.code === "tool_suspended") return barred;
    const verdict =
      barred ?? (tool ? judged(world, tool, facts, parse, flaw) : deny("tool_unknown", "The tool is not registered."));
    if (facts.mode !== "observe") return verdict;
    const { effect, code, message, retryable, rules, remedy } = verdict;
    const would = { effect, code, message, retryable, rules, ...(remedy === undefined ? {} : { remedy }) };
    const watched = {
      effect: "allow",
      code: "observed",
      message: "Allowed: policies are observed here, not enforced.",
    } as const;
    return {
      ...deny("observed", ""),
      ...watched,
      mode: "observed",
      unknowns: verdict.unknowns,
      ...(flaw === "observed-subject-forgets-would" ? {} : { would }),
    };
  };
}

function barrier({ spec }: ToolDocument, { call }: Facts, flaw: Flaw | undefined): NaiveVerdict | undefined {
  if (spec.status === "suspended" && flaw !== "suspended-tool-runs") {
    return deny("tool_suspended", "The tool may not be called now. Its owner can say why.");
  }
  if (call.schemaDigest === undefined || flaw === "changed-schema-passes") return undefined;
  const registered = spec.inputSchema ? schemaDigest(spec.inputSchema) : "";
  if (call.schemaDigest === registered || call.schemaDigest === spec.offeredSchema) return undefined;
  const message =
    "The tool is not the one that was registered: its schema is another. It may be called once it is registered again.";
  return { ...deny("tool_schema_changed", message), retryable: true };
}

function judged(world: World, tool: ToolDocument, facts: Facts, parse: Parse, flaw: Flaw | undefined): NaiveVerdict {
  const refused = refusal(tool, facts, flaw);
  if (refused) return refused;
  const asked = world.policies
    .filter(({ document }) => appliesTo(document, facts, flaw))
    .flatMap(({ document, version }) =>
      document.spec.rules.map((rule): PlacedRule => ({ rule, policy: document, version })),
    )
    .filter(({ rule }) => namesTool(rule, tool, flaw));
  const rules = flaw === "rules-of-one-policy-only" ? asked.filter(({ policy }) => policy === asked[0]?.policy) : asked;
  const questions = world.policies
    .flatMap(({ document }) => document.spec.rules)
    .filter((rule) => namesTool(rule, tool))
    .flatMap((rule) => rule.questions ?? []);
  const on = { parse, facts, tool, flaw, questions };
  const bound = rules.filter(({ policy }) => policy.spec.mode === "enforce");
  if (bound.length === rules.length || flaw === "observed-policy-binds") return byRules(rules, on);
  const verdict = byRules(bound, on);
  const observed = byRules(rules, on);
  const { effect, code, message, retryable, rules: agreed, remedy } = observed;
  if (effect === verdict.effect && code === verdict.code && sameRefs(agreed, verdict.rules)) return verdict;
  return {
    ...verdict,
    would: { effect, code, message, retryable, rules: agreed, ...(remedy === undefined ? {} : { remedy }) },
  };
}

function sameRefs(some: readonly RuleRef[], others: readonly RuleRef[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others);
}

function refusal(tool: ToolDocument, facts: Facts, flaw: Flaw | undefined): NaiveVerdict | undefined {
  const { inputSchema, contextSchema, maximum = [] } = tool.spec;
  const wrong = inputSchema ? misfits(facts.input, inputSchema, "input") : [];
  if (wrong.length === 0 && contextSchema && flaw !== "context-goes-unchecked") {
    wrong.push(...misfits(facts.context as JsonObject, contextSchema, "context"));
  }
  if (wrong.length > 0) {
    return { ...deny("input_invalid", ""), message: wrong.map((path) => `The input does not fit the tool: ${path} `) };
  }
  const above = flaw === "maximum-is-ignored" ? undefined : aboveMaximum(facts.call.estimate, maximum);
  if (above) {
    const message = `The estimate does not fit the tool: ${above.value} ${above.unit} is more than one call may cost.`;
    return deny("input_invalid", message);
  }
  const excess = excessOf(facts, tool, facts.input, flaw);
  return excess === undefined
    ? undefined
    : deny("scope_exceeded", `The call exceeds what this session may do: ${excess}.`);
}
