import type { ConditionCoverage, Coverage, RuleCoverage } from "@remit/engine";

const CONDITION_CHARS_MAX = 100;

function gaps({ kind, text, ...counts }: ConditionCoverage): string[] {
  const never = (["true", "false", "unknown"] as const).filter((outcome) => counts[outcome] === 0);
  // A condition over closed schemas may have no way to be unknown: that alone is no gap.
  if (never.length === 0 || (never.length === 1 && never[0] === "unknown")) return [];
  const short = text.length > CONDITION_CHARS_MAX ? `${text.slice(0, CONDITION_CHARS_MAX)}…` : text;
  return [`      ${kind} never ${never.join(", never ")}: ${short}`];
}

function ruleLines({ policy, rule, file, line, matched, decided, conditions }: RuleCoverage): string[] {
  const said = matched === 0 ? "never matched" : decided === 0 ? "never decided" : "";
  const below = conditions.flatMap(gaps);
  if (said === "" && below.length === 0) return [];
  const place = line > 0 ? `${file}:${line}: ` : "";
  return [`  ${place}${policy}/${rule}${said === "" ? "" : `  ${said}`}`, ...below];
}

/** What the cases did not try, rule by rule, under one line of figures. */
export function coverageLines({ percent, rules }: Coverage): string[] {
  const conditions = rules.flatMap((rule) => rule.conditions);
  const of = (count: number, all: readonly unknown[], what: string) => `${count} of ${all.length} ${what}`;
  const figures = [
    of(rules.filter(({ matched }) => matched > 0).length, rules, "rules matched"),
    of(rules.filter(({ decided }) => decided > 0).length, rules, "decided"),
    of(conditions.filter((one) => one.true > 0).length, conditions, "conditions true"),
    of(conditions.filter((one) => one.false > 0).length, conditions, "false"),
    of(conditions.filter((one) => one.unknown > 0).length, conditions, "unknown"),
  ];
  return [`coverage ${percent}%: ${figures.join(", ")}`, ...rules.flatMap(ruleLines)];
}
