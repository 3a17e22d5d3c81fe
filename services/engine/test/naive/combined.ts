import type { RuleDocument } from "../../src/documents/policy.ts";
import type { Constraint, Effect, Facts, JsonObject, RuleRef, Verdict } from "../../src/index.ts";
import type { Flaw } from "./flaws.ts";
import type { PlacedRule } from "./judgement.ts";
import { type Truth, Unknown } from "./values.ts";

/** A verdict as the engine gives it, but for the words of what is unknown. */
export interface NaiveVerdict {
  readonly effect: Effect;
  readonly code: string;
  /** Several: it begins with one of them. */
  readonly message: string | readonly string[];
  readonly retryable: boolean;
  readonly rules: readonly RuleRef[];
  readonly mode: "enforced" | "observed";
  readonly would?: Omit<NaiveVerdict, "mode" | "constraints" | "unknowns">;
  readonly transformedInput?: JsonObject;
  readonly constraints: readonly Constraint[];
  readonly approval?: Verdict["approval"];
  readonly questions?: Verdict["questions"];
  /** Undefined where rules were judged on an input that the tool's schema refuses: no type in it is what was declared. */
  readonly unknowns: readonly RuleRef[] | undefined;
  readonly remedy?: string;
}

export function deny(code: string, message: string): NaiveVerdict {
  return {
    effect: "deny",
    code,
    message,
    retryable: false,
    rules: [],
    mode: "enforced",
    constraints: [],
    unknowns: [],
  };
}

export function refOf({ policy, version, rule }: PlacedRule): RuleRef {
  return { policy: policy.metadata.name, version, rule: rule.id };
}

export interface Findings {
  readonly facts: Facts;
  readonly judged: readonly { readonly one: PlacedRule; readonly truth: Truth }[];
  readonly answered: readonly PlacedRule[];
  readonly applied: readonly PlacedRule[];
  /** Transforms that are unknown. */
  readonly unsure: readonly PlacedRule[];
  readonly changed: JsonObject;
  readonly unknowns: readonly RuleRef[];
  readonly flaw: Flaw | undefined;
}

const unjudged = "A policy could not be judged on this call, so the call is not permitted as it is.";
const restraints = [
  ["deny", "rule_denied", "A policy forbids this call."],
  ["clarify", "facts_missing", "Answer the questions and ask again."],
  ["escalate", "approval_required", "The call needs an approval before it may run."],
] as const;

export function combined(findings: Findings): NaiveVerdict {
  const { judged, applied, unsure, answered, unknowns, flaw } = findings;
  const isSkipped = ({ rule }: PlacedRule, truth: Truth) =>
    truth instanceof Unknown &&
    ((flaw === "unknown-deny-is-skipped" && rule.effect === "deny") ||
      (flaw === "unknown-escalation-is-skipped" && rule.effect === "escalate"));
  const restraining = (effect: Effect) =>
    judged.filter(
      ({ one, truth }) =>
        one.rule.effect === effect && truth !== false && !isSkipped(one, truth) && !isGranted(one, findings),
    );
  const permitting = [
    ...ofEffect(findings, "allow"),
    ...ofEffect(findings, "escalate").filter((one) => isGranted(one, findings)),
    ...answered,
  ];
  const unknownDeny = (rules: readonly PlacedRule[]) => ({
    ...deny("evaluation_error", unjudged),
    rules: rules.map(refOf),
    unknowns,
  });
  const order = flaw === "escalate-outranks-clarify" ? [0, 2, 1] : [0, 1, 2];
  for (const [effect, code, words] of order.map((index) => restraints[index] ?? restraints[0])) {
    if (effect === "escalate" && unsure.length > 0) return unknownDeny(unsure);
    const matched = restraining(effect);
    if (matched.length === 0) continue;
    const certain = matched.filter(({ truth }) => truth === true).map(({ one }) => one);
    const named = matched.map(({ one }) => one);
    const hopeless = certain.length + permitting.length + applied.length === 0;
    if (effect === "escalate" && hopeless) return unknownDeny(named);
    const remedy = saidBy(certain, ({ remedy: one }) => one);
    return {
      ...deny(certain.length > 0 ? code : "evaluation_error", ""),
      effect,
      message: certain.length > 0 ? (saidBy(certain, ({ message }) => message) ?? words) : unjudged,
      ...(remedy === undefined ? {} : { remedy }),
      retryable: effect !== "deny",
      rules: named.map(refOf),
      unknowns,
      ...asked(effect, named, findings),
    };
  }
  if (unsure.length > 0) return unknownDeny(unsure);
  return permitted(permitting, findings);
}

/** The rules of an effect that permit: known to match. */
function ofEffect({ judged, flaw }: Findings, effect: Effect): PlacedRule[] {
  const wrong =
    (flaw === "unknown-allow-matches" && effect === "allow") ||
    (flaw === "unknown-grant-permits" && effect === "escalate");
  return judged
    .filter(({ one, truth }) => one.rule.effect === effect && (truth === true || (wrong && truth instanceof Unknown)))
    .map(({ one }) => one);
}

function isGranted(one: PlacedRule, { facts, flaw }: Findings): boolean {
  const ref = refOf(one);
  return (
    one.rule.effect === "escalate" &&
    (facts.granted ?? []).some(
      ({ policy, version, rule }) =>
        policy === ref.policy && rule === ref.rule && (version === ref.version || flaw === "grant-ignores-version"),
    )
  );
}

function saidBy(rules: readonly PlacedRule[], read: (rule: RuleDocument) => string | undefined): string | undefined {
  const texts = rules.map(({ rule }) => read(rule)).filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : texts.filter((text, index) => texts.indexOf(text) === index).join(" ");
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function asked(effect: Effect, rules: readonly PlacedRule[], { applied, changed }: Findings): Partial<NaiveVerdict> {
  if (effect === "clarify") {
    const questions = rules.flatMap(({ rule }) => rule.questions ?? []);
    const first = (id: string, type: string) => questions.find((one) => one.id === id && one.type === type);
    return { questions: questions.filter((one) => first(one.id, one.type) === one) };
  }
  if (effect !== "escalate") return {};
  const summary = saidBy(rules, ({ approval }) => approval?.summary);
  const requirements = rules.flatMap((one) => {
    const { approval } = one.rule;
    if (!approval) return [];
    const expiresSeconds = Number.parseInt(approval.expires, 10) * (secondsOf[approval.expires.slice(-1)] ?? 0);
    return [{ rule: refOf(one), approvers: approval.approvers, quorum: approval.quorum, expiresSeconds }];
  });
  return {
    approval: { requirements, ...(summary === undefined ? {} : { summary }) },
    ...(applied.length > 0 ? { transformedInput: changed } : {}),
  };
}

function permitted(unsorted: readonly PlacedRule[], findings: Findings): NaiveVerdict {
  const { applied, judged, facts, unknowns, changed, flaw } = findings;
  const kind = (one: PlacedRule) => ["allow", "escalate", "clarify"].indexOf(one.rule.effect);
  const permitting = [...unsorted].sort((one, other) => kind(one) - kind(other));
  const doubtful = judged
    .filter(({ one, truth }) => truth instanceof Unknown && (one.rule.effect === "allow" || isGranted(one, findings)))
    .map(({ one }) => one);
  if (permitting.length + applied.length === 0) {
    const vain = doubtful.filter(({ rule }) => rule.effect === "escalate");
    if (vain.length > 0) return { ...deny("evaluation_error", unjudged), rules: vain.map(refOf), unknowns };
    return { ...deny("no_rule_matched", "No policy permits this call."), unknowns };
  }
  const demanding = [...permitting, ...applied, ...(flaw === "unknown-allow-drops-constraints" ? [] : doubtful)];
  const constraints = strictest(demanding, flaw);
  const lacking = constraints.filter(({ name }) => !facts.supportedConstraints.includes(name)).map(({ name }) => name);
  if (lacking.length > 0 && flaw !== "unsupported-constraint-passes") {
    const words = "The call is only permitted under constraints that this client does not support";
    const blamed = demanding.filter((one) => constraintsOf(one).some(({ name }) => lacking.includes(name)));
    return {
      ...deny("constraint_unsupported", `${words}: ${lacking.join(", ")}.`),
      rules: blamed.map(refOf),
      unknowns,
    };
  }
  if (applied.length > 0) {
    return {
      ...deny("rule_transformed", "Allowed with a changed input: run the call with the transformed input, as it is."),
      ...{ effect: "transform", rules: applied.map(refOf), constraints, unknowns, transformedInput: changed },
    };
  }
  const [code, message] = permitting.some(({ rule }) => rule.effect === "escalate")
    ? ["approval_granted", "Allowed: the approval was granted."]
    : permitting.some(({ rule }) => rule.effect === "clarify")
      ? ["clarified", "Allowed: the questions were answered."]
      : ["rule_allowed", "Allowed."];
  return { ...deny(code, message), effect: "allow", rules: permitting.map(refOf), constraints, unknowns };
}

function constraintsOf({ rule }: PlacedRule): Constraint[] {
  const { timeout, maxOutputBytes, redactOutput, requireIdempotencyKey } = rule.constraints ?? {};
  return [
    ...(maxOutputBytes === undefined ? [] : [{ name: "maxOutputBytes" as const, integer: maxOutputBytes }]),
    ...(redactOutput ? [{ name: "redactOutput" as const, strings: redactOutput }] : []),
    ...(requireIdempotencyKey ? [{ name: "requireIdempotencyKey" as const, flag: true }] : []),
    ...(timeout === undefined ? [] : [{ name: "timeout" as const, durationMs: Number.parseInt(timeout, 10) * 1000 }]),
  ];
}

function strictest(rules: readonly PlacedRule[], flaw: Flaw | undefined): Constraint[] {
  const all = rules.flatMap(constraintsOf);
  const named = (name: string) => all.filter((one) => one.name === name);
  const numbers = (name: string) =>
    named(name).map((one) => ("integer" in one ? one.integer : "durationMs" in one ? one.durationMs : 0));
  const paths = named("redactOutput").flatMap((one) => ("strings" in one ? one.strings : []));
  const [bytes, times] = [numbers("maxOutputBytes"), numbers("timeout")];
  return [
    ...(bytes.length > 0 ? [{ name: "maxOutputBytes" as const, integer: Math.min(...bytes) }] : []),
    ...(paths.length > 0 ? [{ name: "redactOutput" as const, strings: [...new Set(paths)].sort() }] : []),
    ...named("requireIdempotencyKey").slice(0, 1),
    ...(times.length > 0
      ? [
          {
            name: "timeout" as const,
            durationMs: flaw === "longest-timeout-wins" ? Math.max(...times) : Math.min(...times),
          },
        ]
      : []),
  ];
}
