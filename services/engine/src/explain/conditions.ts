import type { Frame } from "../cel/frame.ts";
import { toJson } from "../cel/to-json.ts";
import { Failure } from "../cel/value.ts";
import type { CompiledPolicy } from "../compile/compile-policy.ts";
import { type Judge, type PolicyExpressions, policyExpressionsInSteps } from "../compile/condition.ts";
import type { CompiledRule } from "../compile/rule.ts";
import type { Steps } from "../compile/steps.ts";
import type { RuleDocument } from "../documents/policy.ts";
import { isExpression } from "../documents/read-policy.ts";
import { isJsonObject, type JsonValue, ownValue } from "../json.ts";
import { spareFrame } from "../judge/judge.ts";
import { anyTool, type ToolTypes } from "../typing/tool-types.ts";
import { type Hidden, hiddenBy } from "./hidden.ts";
import { type ExplainedPart, explainedParts } from "./parts.ts";
import { type Recording, startRecording } from "./recording.ts";
import { redactedText, shortened, shownValue } from "./shown-value.ts";

export type ConditionOutcome = "true" | "false" | "unknown" | "notNeeded";

/** One condition of a rule, and the values that decided it. */
export interface ExplainedCondition {
  readonly kind: "when" | "unless";
  readonly text: string;
  readonly outcome: ConditionOutcome;
  /** Why it is unknown. */
  readonly why?: string;
  /** Its parts, each before what it is computed from; empty where it was not needed. */
  readonly parts: readonly ExplainedPart[];
}

/** One value that a transform sets. */
export interface ExplainedSetting {
  /** `input.path` */
  readonly path: string;
  /** JSON, cut where it is long; absent where there is no such value. */
  readonly before?: string;
  readonly after?: string;
  /** Why it has no value. */
  readonly why?: string;
  /** The expression, and its parts. */
  readonly text?: string;
  readonly parts: readonly ExplainedPart[];
}

export interface RuleDetails {
  readonly conditions: readonly ExplainedCondition[];
  readonly settings: readonly ExplainedSetting[];
}

/** Explains the rules of one policy. */
export type PolicyExplainer = (rule: CompiledRule, frame: Frame) => Steps<RuleDetails>;

/** Rules of a policy that are noted by their names in the time of one step. */
const notedPerStep = 20;

const nothing: RuleDetails = { conditions: [], settings: [] };

/**
 * Compiles what is explained once more, with every part noting what it computes. Rules that are not written in
 * conditions have no details.
 */
export function* policyExplainer(
  { document, rules: placed }: CompiledPolicy,
  redacted: readonly string[],
): Steps<PolicyExplainer> {
  const rules = new Map<string, RuleDocument>();
  for (const rule of document.spec.rules) {
    rules.set(rule.id, rule);
    yield 1 / notedPerStep;
  }
  const typesOf = new Map<string, ToolTypes | undefined>();
  for (const { rule, types } of placed) {
    typesOf.set(rule.ref.rule, types);
    yield 1 / notedPerStep;
  }
  const variables = document.spec.variables ?? {};
  const recording = startRecording();
  const ofPolicy = yield* policyExpressionsInSteps(variables, () => {}, { watch: recording.watch });
  const expressions = ofPolicy.among(anyTool);
  const hidden = hiddenBy(redacted, variables);
  return function* ({ ref }, frame) {
    const rule = rules.get(ref.rule);
    if (!rule) return nothing;
    recording.clear();
    const types = typesOf.get(ref.rule);
    const told = { recording, hidden, variables, expressions: types ? expressions.among(types) : expressions };
    const conditions = yield* explainConditions(rule, spareFrame(frame), told);
    const settings = yield* explainSettings(rule, spareFrame(frame), told);
    return { conditions, settings };
  };
}

interface Told {
  readonly recording: Recording;
  readonly hidden: Hidden;
  readonly variables: Readonly<Record<string, string>>;
  readonly expressions: PolicyExpressions;
}

/** As the rule is judged: a condition that is false ends its list, and the rule if it is one of `when`. */
function* explainConditions(
  { when = [], unless = [] }: RuleDocument,
  frame: Frame,
  told: Told,
): Steps<ExplainedCondition[]> {
  let over = false;
  const explained: ExplainedCondition[] = [];
  for (const [kind, texts] of [["when", when] as const, ["unless", unless] as const]) {
    for (const text of texts) {
      if (over) {
        explained.push({ kind, text, outcome: "notNeeded", parts: [] });
        yield 0.1;
      } else {
        yield* told.expressions.prepare(text);
        const condition = explainCondition(kind, text, frame, told);
        over = condition.outcome === "false";
        explained.push(condition);
        yield explainingCost(text);
      }
    }
  }
  return explained;
}

function explainCondition(kind: "when" | "unless", text: string, frame: Frame, told: Told): ExplainedCondition {
  const judge: Judge | undefined = told.expressions.condition(text, "")?.judge;
  if (!judge) return { kind, text, outcome: "unknown", why: "the condition did not compile", parts: [] };
  const result = judge(frame);
  const parts = explainedParts(text, told.recording, told.hidden, told.variables);
  if (result instanceof Failure) return { kind, text, outcome: "unknown", why: result.why, parts };
  return { kind, text, outcome: result ? "true" : "false", parts };
}

function* explainSettings({ set = {} }: RuleDocument, frame: Frame, told: Told): Steps<ExplainedSetting[]> {
  const settings: ExplainedSetting[] = [];
  for (const [path, value] of Object.entries(set)) {
    if (isExpression(value)) yield* told.expressions.prepare(value.expr);
    settings.push(explainSetting(path, value, frame, told));
    yield isExpression(value) ? explainingCost(value.expr) : settingCost;
  }
  return settings;
}

const settingCost = 1;
/** Texts are compiled, run, and parsed to be walked through. */
const explainingCost = (text: string) => 20 + text.length;

function explainSetting(
  path: string,
  value: NonNullable<RuleDocument["set"]>[string],
  frame: Frame,
  told: Told,
): ExplainedSetting {
  const keys = path.split(".");
  const secret = told.hidden.path("input", keys);
  const before = valueAt(frame.input, keys);
  const was = before === undefined ? {} : { before: secret ? redactedText : shortened(JSON.stringify(before)) };
  const setting = { path: `input.${path}`, ...was };
  if (!isExpression(value)) {
    return { ...setting, after: secret ? redactedText : shortened(JSON.stringify(value)), parts: [] };
  }
  const outcome = told.expressions.value(value.expr, "")?.run(frame);
  const parts = explainedParts(value.expr, told.recording, told.hidden, told.variables);
  const text = value.expr;
  if (outcome === undefined || outcome instanceof Failure || toJson(outcome) instanceof Failure) {
    return { ...setting, text, parts, why: outcome instanceof Failure ? outcome.why : "it is no JSON value" };
  }
  const hides = secret || parts[0]?.outcome === "redacted";
  return { ...setting, text, parts, after: hides ? redactedText : shownValue(outcome) };
}

function valueAt(input: JsonValue, keys: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = input;
  for (const key of keys) value = isJsonObject(value) ? ownValue(value, key) : undefined;
  return value;
}
