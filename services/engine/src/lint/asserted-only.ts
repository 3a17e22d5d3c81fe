import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { partsOf, variableOf } from "./expressions.ts";
import type { PolicyLint, RuleWarning } from "./look.ts";

const asserted: ReadonlySet<string> = new Set(["context", "answers"]);

/**
 * An allow whose conditions read nothing but what the caller's process and the agent say of themselves: whoever writes
 * that may do it. One look at the input, the principal, the agent or the session is enough.
 */
export const assertedOnly: RuleWarning = ({ rule, pointer, when, unless }, policy) => {
  if (rule.effect !== "allow") return;
  const roots = new Set<string>();
  for (const { expr } of [...when, ...unless]) addRoots(expr, new Set(), roots, policy);
  if (roots.size === 0 || [...roots].some((root) => !asserted.has(root))) return;
  const named = [...roots].sort().join(" and ");
  policy.report(`${pointer}/effect`, `an allow that rests on ${named} alone: what the caller says of itself`, {
    ...{ code: "asserted_only", severity: "warning" },
    expected: "a condition on the input, the principal, the agent or the session besides",
  });
};

function addRoots(expr: Expr, bound: ReadonlySet<string>, roots: Set<string>, policy: PolicyLint): void {
  const { exprKind: kind } = expr;
  const variable = variableOf(expr);
  if (variable !== undefined) {
    for (const root of rootsOf(variable, policy)) roots.add(root);
    return;
  }
  if (kind.case === "identExpr" && !bound.has(kind.value.name)) roots.add(kind.value.name);
  const inner = kind.case === "comprehensionExpr" ? new Set([...bound, kind.value.iterVar, kind.value.accuVar]) : bound;
  for (const part of partsOf(expr)) addRoots(part, inner, roots, policy);
}

/** The facts that a variable reads, found once. One that is defined by itself does not compile. */
function rootsOf(name: string, policy: PolicyLint): ReadonlySet<string> {
  const known = policy.roots.get(name);
  if (known) return known;
  const roots = new Set<string>();
  policy.roots.set(name, roots);
  const variable = policy.variables.get(name);
  if (variable) addRoots(variable.expr, new Set(), roots, policy);
  return roots;
}
