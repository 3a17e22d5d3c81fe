import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { literalText, partsOf, variableOf, type Written } from "./expressions.ts";
import type { PolicyLint, RuleWarning } from "./look.ts";

/** Whether a pattern holds the whole text to it: every alternative would have to, so one at the top is not taken. */
export function isAnchored(pattern: string): boolean {
  const bare = pattern.replace(/^\(\?[a-z]+\)/, "");
  return /^(?:\^|\\A)/.test(bare) && /(?:[^\\]|^)(?:\\\\)*(?:\$|\\z)$/.test(bare) && !hasTopAlternative(bare);
}

function hasTopAlternative(pattern: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index];
    if (char === "\\") index++;
    else if (inClass) inClass = char !== "]";
    else if (char === "[") inClass = true;
    else if (char === "(") depth++;
    else if (char === ")") depth--;
    else if (char === "|" && depth === 0) return true;
  }
  return false;
}

/**
 * An allow that holds when a pattern is found somewhere in a text: `matches("api[.]acme[.]com")` holds for
 * `api.acme.com.evil.io` too. Where the rule holds because a pattern is *not* found, searching is the strict way.
 */
export const patternUnanchored: RuleWarning = ({ rule, when, unless }, policy) => {
  if (rule.effect !== "allow") return;
  for (const written of when) look(written, written.expr, true, policy);
  for (const written of unless) look(written, written.expr, false, policy);
};

function look(written: Written, expr: Expr, positive: boolean, policy: PolicyLint): void {
  const { exprKind: kind } = expr;
  const name = variableOf(expr);
  const variable = name === undefined ? undefined : policy.variables.get(name);
  const key = `pattern ${positive} ${name}`;
  if (variable && !policy.followed.has(key)) {
    policy.followed.add(key);
    look(variable, variable.expr, positive, policy);
  }
  const matching = kind.case === "callExpr" && kind.value.function === "matches";
  if (matching && positive) tell(written, kind.value.args.at(-1), policy);
  const turned = kind.case === "callExpr" && kind.value.function === "!_";
  for (const part of partsOf(expr)) look(written, part, turned ? !positive : positive, policy);
}

function tell(written: Written, argument: Expr | undefined, { report }: PolicyLint): void {
  const pattern = argument && literalText(argument);
  if (!argument || pattern === undefined || isAnchored(pattern)) return;
  report(written.pointer, "the pattern is searched for, so it is found inside other texts too", {
    ...{ code: "pattern_unanchored", severity: "warning" },
    within: { text: written.text, offset: written.offsetOf(argument) },
    expected: hasTopAlternative(pattern) ? `"^(?:${pattern})$"` : `"^${pattern.replace(/^\^|\$$/g, "")}$"`,
  });
}
