import { Failure } from "../src/cel/value.ts";
import { policyExpressions } from "../src/compile/condition.ts";
import type { RuleDocument } from "../src/documents/policy.ts";
import type { ToolDocument } from "../src/documents/tool.ts";
import type { Documents, Facts, JsonObject, JsonValue } from "../src/index.ts";
import { frameOf } from "./conditions.ts";
import { schemaDigest } from "./sample.ts";

interface NaiveVerdict {
  readonly effect: string;
  readonly code: string;
  readonly rules: readonly string[];
}

type Truth = true | false | "unknown";

/**
 * The verdict by reading every document from top to bottom: no index, nothing shared between rules, nothing kept. It
 * knows policies, transforms and clarifications, and what a tool refuses but for its schemas; not scopes, grants or
 * constraints that are not supported.
 */
export function naiveVerdict(documents: Documents, facts: Facts): NaiveVerdict {
  const tool = documents.tools.find(({ metadata }) => metadata.name === facts.call.tool);
  if (!tool) return verdict("deny", "tool_unknown", []);
  const refused = refusal(tool, facts);
  if (refused) return verdict("deny", refused, []);
  const answers = answersOf(documents, facts);
  const applying = documents.policies.filter(({ spec }) =>
    Object.entries(spec.appliesTo?.agents.matchLabels ?? {}).every(([key, value]) => facts.agent.labels[key] === value),
  );
  const rules = applying.flatMap(({ metadata, spec }) =>
    spec.rules.map((rule) => ({ rule, name: `${metadata.name}/${rule.id}`, variables: spec.variables ?? {} })),
  );
  const matching = rules.filter(({ rule }) => namesTool(rule, tool));
  const transforms = matching
    .filter(({ rule }) => rule.effect === "transform")
    .map((one) => ({ ...one, truth: truthOf(one.rule, { ...facts, answers }, one.variables) }));
  const changes = transforms.filter(({ truth }) => truth === true);
  const unsure = transforms.filter(({ truth }) => truth === "unknown");
  let input = facts.input;
  const set = new Map<string, string>();
  for (const { rule, variables } of changes) {
    for (const [path, written] of Object.entries(rule.set ?? {})) {
      const value = settled(written, facts, variables);
      const shown = JSON.stringify(value);
      if (value === undefined) return verdict("deny", "transform_invalid", changes);
      if (set.has(path) && set.get(path) !== shown) return verdict("deny", "transform_conflict", changes);
      set.set(path, shown);
      const changed = changedInput(input, path.split("."), value);
      if (!changed) return verdict("deny", "transform_invalid", changes);
      input = changed;
    }
  }
  const after = { ...facts, answers, input };
  const judged = matching
    .filter(({ rule }) => rule.effect !== "transform")
    .map((one) => ({ ...one, truth: truthOf(one.rule, after, one.variables) }));
  const allowed = judged.filter(({ rule, truth }) => rule.effect === "allow" && truth === true);
  const answered = judged.filter(({ rule, variables, truth }) => {
    if (rule.effect !== "clarify" || truth !== false) return false;
    const complete = (rule.questions ?? []).every(({ id, type }) => typeof answers[id] === type);
    return complete && truthOf(rule, { ...after, answers: {} }, variables) === true;
  });
  for (const [effect, code] of [
    ["deny", "rule_denied"],
    ["clarify", "facts_missing"],
    ["escalate", "approval_required"],
  ] as const) {
    if (effect === "escalate" && unsure.length > 0) return verdict("deny", "evaluation_error", unsure);
    const matched = judged.filter(({ rule, truth }) => rule.effect === effect && truth !== false);
    const certain = matched.some(({ truth }) => truth === true);
    if (matched.length === 0) continue;
    const inVain = !certain && allowed.length + answered.length + changes.length === 0;
    if (effect === "escalate" && inVain) return verdict("deny", "evaluation_error", matched);
    return verdict(effect, certain ? code : "evaluation_error", matched);
  }
  if (changes.length > 0) return verdict("transform", "rule_transformed", changes);
  if (answered.length > 0) return verdict("allow", "clarified", [...allowed, ...answered]);
  return allowed.length > 0 ? verdict("allow", "rule_allowed", allowed) : verdict("deny", "no_rule_matched", []);
}

function refusal({ spec }: ToolDocument, { call }: Facts): string | undefined {
  if (spec.status === "suspended") return "tool_suspended";
  const registered = spec.inputSchema ? schemaDigest(spec.inputSchema) : "";
  const known = [registered, spec.offeredSchema];
  if (call.schemaDigest !== undefined && !known.includes(call.schemaDigest)) return "tool_schema_changed";
  const over = (spec.maximum ?? []).some((most) =>
    call.estimate.some(({ unit, value }) => unit === most.unit && Number(value) > Number(most.value)),
  );
  return over ? "input_invalid" : undefined;
}

/** The answers to questions that somebody asks, in the type they are asked for; blank ones are none. */
function answersOf({ policies }: Documents, { answers }: Facts): JsonObject {
  const questions = policies.flatMap(({ spec }) => spec.rules.flatMap((rule) => rule.questions ?? []));
  const valid = Object.entries(answers).filter(
    ([id, answer]) =>
      answer !== "" && questions.some((question) => question.id === id && question.type === typeof answer),
  );
  return Object.fromEntries(valid);
}

function verdict(effect: string, code: string, rules: readonly { readonly name: string }[]): NaiveVerdict {
  return { effect, code, rules: rules.map(({ name }) => name) };
}

function namesTool({ match }: RuleDocument, { metadata, spec }: ToolDocument): boolean {
  const fits = (globs: readonly string[] | undefined, name: string | undefined) =>
    globs === undefined || (name !== undefined && globs.some((glob) => globFits(glob, name)));
  return (
    fits(match.tools, metadata.name) && fits(match.servers, spec.server) && (match.risk?.includes(spec.risk) ?? true)
  );
}

/** A glob by its definition: a star eats any number of characters. */
export function globFits(glob: string, name: string): boolean {
  if (glob === "") return name === "";
  if (glob[0] !== "*") return name !== "" && glob[0] === name[0] && globFits(glob.slice(1), name.slice(1));
  return globFits(glob.slice(1), name) || (name !== "" && globFits(glob, name.slice(1)));
}

function truthOf(rule: RuleDocument, facts: Facts, variables: Readonly<Record<string, string>>): Truth {
  const all = (texts: readonly string[]): Truth => {
    const truths = texts.map((text) => valueIn(text, facts, variables));
    if (truths.includes(false)) return false;
    return truths.every((truth) => truth === true) ? true : "unknown";
  };
  const [when, unless] = [all(rule.when ?? []), rule.unless ? all(rule.unless) : false];
  if (when === false || unless === true) return false;
  return when === true && unless === false ? true : "unknown";
}

/** One expression by itself: compiled anew, its variables with it. */
function valueIn(text: string, facts: Facts, variables: Readonly<Record<string, string>>): unknown {
  const value = policyExpressions(variables, () => undefined)
    .value(text, "")
    ?.run(frameOf(facts));
  return value instanceof Failure ? "unknown" : value;
}

function settled(written: JsonValue, facts: Facts, variables: Readonly<Record<string, string>>): JsonValue | undefined {
  if (typeof written !== "object" || written === null || !("expr" in written)) return written;
  const value = valueIn(String((written as JsonObject).expr), facts, variables);
  return value === "unknown" ? undefined : (value as JsonValue);
}

function changedInput(
  map: JsonObject,
  [key = "", ...rest]: readonly string[],
  value: JsonValue,
): JsonObject | undefined {
  if (rest.length === 0) return { ...map, [key]: value };
  const inner = map[key] ?? {};
  if (typeof inner !== "object" || Array.isArray(inner)) return undefined;
  const changed = changedInput(inner as JsonObject, rest, value);
  return changed && { ...map, [key]: changed };
}
