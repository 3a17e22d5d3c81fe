import { type Effect, effects } from "../documents/policy.ts";
import type { RuleRef, Verdict } from "../judge/verdict.ts";
import type { ExplainedCheck } from "./checks.ts";
import type { ExplainedCondition, ExplainedSetting } from "./conditions.ts";
import type { ConsideredRule, Explanation, SkippedRules } from "./explain.ts";
import type { ExplainedPart } from "./parts.ts";

/** `input.amount > 500 → 812 > 500 → true`, deeper parts further in. */
function partLine({ depth, text, operands, outcome, value, why }: ExplainedPart): string {
  const ends = { value: value ?? "", unknown: `unknown: ${why}`, redacted: "[redacted]", notNeeded: "not needed" };
  const note = outcome === "value" && why !== undefined ? ` (${why})` : "";
  const steps = [text, ...(operands === undefined || operands === text ? [] : [operands])];
  if (ends[outcome] !== text) steps.push(ends[outcome]);
  return `${"  ".repeat(depth)}${steps.join(" → ")}${note}`;
}

function conditionLines({ kind, text, outcome, why, parts }: ExplainedCondition): string[] {
  const [first, ...rest] = parts.map(partLine);
  const whole =
    outcome === "notNeeded" ? `${text} → not needed` : outcome === "unknown" ? `${text} → unknown: ${why}` : text;
  return [`${kind.padEnd(6)} ${first ?? whole}`, ...rest.map((line) => `       ${line}`)];
}

function settingLines({ path, before, after, why, text, parts }: ExplainedSetting): string[] {
  const to = after ?? `unknown: ${why}`;
  const [, ...rest] = parts.map(partLine);
  return [
    `set    ${path}: ${before ?? "absent"} → ${to}${text === undefined ? "" : `  (${text})`}`,
    ...rest.map((line) => `       ${line}`),
  ];
}

/** A rule's conditions and what it sets, with the values that they had. */
export function ruleDetailLines({ conditions, settings }: Pick<ConsideredRule, "conditions" | "settings">): string[] {
  return [...conditions.flatMap(conditionLines), ...settings.flatMap(settingLines)];
}

function ruleName({ policy, version, rule }: RuleRef): string {
  return `${policy}@${version}/${rule}`;
}

/** A considered rule with all that is known of how it came out. */
export function ruleLines(considered: ConsideredRule): string[] {
  const { rule, effect, mode, result, why } = considered;
  const details = ruleDetailLines(considered).map((line) => `          ${line}`);
  const observed = mode === "observe" ? "  (observed)" : "";
  const said = details.length === 0 ? `: ${why}` : "";
  return [`${result.padEnd(8)}  ${effect.padEnd(9)}  ${ruleName(rule)}${observed}${said}`, ...details];
}

const checkWords: Readonly<Record<ExplainedCheck["name"], string>> = {
  registered: "the tool is registered",
  active: "it may be called",
  schema: "the caller knows its schema",
  input: "the input fits its schema",
  context: "the context fits its schema",
  estimate: "the estimate is within its maximum",
  scope: "every scope permits it",
};

export function checkLine({ name, outcome, detail }: ExplainedCheck): string {
  const words = { passed: "passed", refused: "refused", notReached: "-", none: "not asked" };
  return `${words[outcome].padEnd(9)} ${checkWords[name]}${detail === undefined ? "" : `: ${detail}`}`;
}

/** What the lines are written from. */
export type ToldExplanation = Omit<Explanation, "verdict"> & {
  readonly verdict: Pick<Verdict, "effect" | "mode"> & {
    readonly code: string;
    readonly would?: { readonly effect: Effect; readonly code: string };
  };
};

/** By effect, the strongest first, which rules stood for it; observed policies are not among them. */
export function combinedLine({ considered, verdict }: Pick<ToldExplanation, "considered" | "verdict">): string {
  const standing = effects.flatMap((effect) => {
    const rules = considered.filter(({ mode, result, ...one }) => {
      // What is unknown stands for its rule where that restrains.
      return (
        mode === "enforce" &&
        one.effect === effect &&
        (result === "true" || (result === "unknown" && effect !== "allow"))
      );
    });
    return rules.length === 0
      ? []
      : [`${effect} by ${rules.map(({ rule }) => `${rule.policy}/${rule.rule}`).join(", ")}`];
  });
  const { effect, code, would } = verdict;
  const said =
    verdict.mode === "observed" && would ? `${would.effect} (${would.code}), observed only` : `${effect} (${code})`;
  return `${standing.length === 0 ? "no rule stands" : standing.join("; ")} → ${said}`;
}

function skippedLine({ otherAgents, otherTools, notReached, notListed = 0 }: SkippedRules): string {
  const parts = [
    [otherTools, "of other tools"],
    [otherAgents, "of policies for other agents"],
    [notReached, "not reached"],
  ] as const;
  const told = parts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  const rest = told.length === 0 ? "every rule was considered" : `rules not considered: ${told.join(", ")}`;
  return notListed === 0 ? rest : `${notListed} more considered and not listed; ${rest}`;
}

/** The whole explanation for people: what was asked first, every rule, and how they combine. */
export function explanationLines(explanation: ToldExplanation): string[] {
  const { checks, considered, skipped } = explanation;
  return [
    "Checks",
    ...checks.map((check) => `  ${checkLine(check)}`),
    "Rules",
    ...considered.flatMap(ruleLines).map((line) => `  ${line}`),
    `  ${skippedLine(skipped)}`,
    "Combined",
    `  ${combinedLine(explanation)}`,
  ];
}
