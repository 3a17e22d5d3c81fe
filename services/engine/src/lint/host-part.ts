import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { literalText, partsOf, variableOf, type Written } from "./expressions.ts";
import { hostAdvice } from "./helper-advised.ts";
import type { PolicyLint, RuleWarning } from "./look.ts";

const comparisons: ReadonlySet<string> = new Set(["startsWith", "endsWith", "contains"]);

/**
 * What is permitted where a host has a part: `url.host(u).endsWith("acme.com")` holds for `evilacme.com` too, and so does
 * an address that ends so. Where such a comparison forbids, it forbids too much, and is left alone.
 */
export const hostPart: RuleWarning = ({ rule, when, unless }, policy) => {
  const permits = rule.effect === "allow" || rule.effect === "transform";
  for (const written of when) look({ written, bound: new Set() }, written.expr, permits, policy);
  for (const written of unless) look({ written, bound: new Set() }, written.expr, !permits, policy);
};

interface At {
  readonly written: Written;
  /** What macros bind to the addresses of a text. */
  readonly bound: ReadonlySet<string>;
}

function look(at: At, expr: Expr, permits: boolean, policy: PolicyLint): void {
  const { exprKind: kind } = expr;
  const name = variableOf(expr);
  const variable = name === undefined ? undefined : policy.variables.get(name);
  const key = `host ${permits} ${name}`;
  if (variable && !policy.followed.has(key)) {
    policy.followed.add(key);
    look({ written: variable, bound: new Set() }, variable.expr, permits, policy);
  }
  if (kind.case === "callExpr" && permits && comparisons.has(kind.value.function)) {
    tell(at, kind.value.function, kind.value.target, kind.value.args[0], policy);
  }
  const inner = kind.case === "comprehensionExpr" ? boundBy(kind.value, at) : at;
  const turned = kind.case === "callExpr" && kind.value.function === "!_";
  for (const part of partsOf(expr)) look(inner, part, turned ? !permits : permits, policy);
}

function boundBy({ iterVar, iterRange }: { iterVar: string; iterRange?: Expr | undefined }, at: At): At {
  const bound = new Set(at.bound);
  if (iterRange && functionOf(iterRange) === "email.addresses") bound.add(iterVar);
  else bound.delete(iterVar);
  return { ...at, bound };
}

/** The function of two names that a part calls. */
function functionOf({ exprKind: kind }: Expr): string | undefined {
  if (kind.case !== "callExpr") return undefined;
  const space = kind.value.target?.exprKind;
  return space?.case === "identExpr" ? `${space.value.name}.${kind.value.function}` : undefined;
}

/** How a part that answers a host, or an address, is written; undefined for any other. */
function hostOf(expr: Expr, { bound }: At, policy: PolicyLint): string | undefined {
  const variable = variableOf(expr);
  if (variable !== undefined) {
    const of = policy.variables.get(variable);
    return of && hostOf(of.expr, { written: of, bound: new Set() }, policy) && `vars.${variable}`;
  }
  const { exprKind: kind } = expr;
  if (kind.case === "identExpr") return bound.has(kind.value.name) ? `email.domain(${kind.value.name})` : undefined;
  const name = functionOf(expr);
  return name === "url.host" || name === "email.domain" ? `${name}(…)` : undefined;
}

function tell(at: At, compared: string, target: Expr | undefined, argument: Expr | undefined, policy: PolicyLint) {
  const literal = argument && literalText(argument);
  if (!target || !argument || literal === undefined || (compared === "endsWith" && /^[.@]/.test(literal))) return;
  const host = hostOf(target, at, policy);
  if (host === undefined) return;
  const { written } = at;
  policy.report(written.pointer, "a host by a part of its name, which another one has too", {
    ...{ code: "helper_advised", severity: "warning" },
    within: { text: written.text, offset: written.offsetOf(argument) },
    expected: hostAdvice(host, literal),
  });
}
