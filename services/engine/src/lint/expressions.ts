import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { parseCondition } from "../cel/parse-condition.ts";
import { below } from "../documents/origin.ts";
import type { PolicyDocument, RuleDocument } from "../documents/policy.ts";
import { isExpression } from "../documents/read-policy.ts";

/** An expression of a policy, parsed. */
export interface Written {
  readonly text: string;
  readonly pointer: string;
  readonly expr: Expr;
  /** Where a part begins, in UTF-16 units. */
  readonly offsetOf: (expr: Expr) => number;
}

/** A rule and what it says in conditions. */
export interface RuleWritten {
  readonly rule: RuleDocument;
  readonly pointer: string;
  readonly when: readonly Written[];
  readonly unless: readonly Written[];
  readonly set: readonly Written[];
}

// What does not parse is left out: that is told elsewhere.
function written(text: string, pointer: string): Written[] {
  const parsed = parseCondition(text);
  return "message" in parsed ? [] : [{ text, pointer, ...parsed }];
}

const conditions = (texts: readonly string[] | undefined, pointer: string) =>
  (texts ?? []).flatMap((text, index) => written(text, below(pointer, index)));

function settings({ set = {} }: RuleDocument, pointer: string): Written[] {
  return Object.entries(set).flatMap(([path, value]) =>
    isExpression(value) ? written(value.expr, below(below(pointer, path), "expr")) : [],
  );
}

export function ruleExpressions(rule: RuleDocument, pointer: string): RuleWritten {
  return {
    rule,
    pointer,
    when: conditions(rule.when, below(pointer, "when")),
    unless: conditions(rule.unless, below(pointer, "unless")),
    set: settings(rule, below(pointer, "set")),
  };
}

export function variableExpressions({ spec }: PolicyDocument): ReadonlyMap<string, Written> {
  const found = new Map<string, Written>();
  for (const [name, text] of Object.entries(spec.variables ?? {})) {
    const [one] = written(text, below("/spec/variables", name));
    if (one) found.set(name, one);
  }
  return found;
}

/** The parts of an expression. */
export function partsOf({ exprKind: kind }: Expr): Expr[] {
  const present = (parts: readonly (Expr | undefined)[]) => parts.filter((part) => part !== undefined);
  switch (kind.case) {
    case "selectExpr":
      return present([kind.value.operand]);
    case "callExpr":
      return present([kind.value.target, ...kind.value.args]);
    case "listExpr":
      return kind.value.elements;
    case "structExpr":
      return present(kind.value.entries.map((entry) => entry.value));
    case "comprehensionExpr": {
      const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      return present([iterRange, accuInit, loopCondition, loopStep, result]);
    }
    default:
      return [];
  }
}

/** Where a part begins with its leftmost name: a path's own place is its last dot. */
export function startOf(expr: Expr, { offsetOf }: Pick<Written, "offsetOf">): number {
  const [first] = partsOf(expr);
  return first ? Math.min(offsetOf(expr), startOf(first, { offsetOf })) : offsetOf(expr);
}

/** The text of a constant, if a part is one. */
export function literalText({ exprKind: kind }: Expr): string | undefined {
  if (kind.case !== "constExpr" || kind.value.constantKind.case !== "stringValue") return undefined;
  return kind.value.constantKind.value;
}

/** The name of the policy's variable that a part is, if it is one. */
export function variableOf({ exprKind: kind }: Expr): string | undefined {
  if (kind.case !== "selectExpr") return undefined;
  const operand = kind.value.operand?.exprKind;
  return operand?.case === "identExpr" && operand.value.name === "vars" ? kind.value.field : undefined;
}
