import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { nearestName } from "../documents/nearest.ts";
import { literalText, partsOf, startOf } from "./expressions.ts";
import type { ExpressionWarning } from "./look.ts";

/** A condition on a budget that no document declares. */
export const budgetUndeclared: ExpressionWarning = (written, _tools, { known, report }) => {
  const { budgets } = known;
  if (!budgets) return;
  const look = (expr: Expr): void => {
    const name = budgetOf(expr);
    if (name !== undefined && !budgets.has(name)) {
      report(written.pointer, `no budget \`${name}\` is declared`, {
        ...{ code: "budget_undeclared", severity: "warning" },
        within: { text: written.text, offset: startOf(expr, written) },
        expected: "a document of kind Budget with that name",
        nearest: () => nearestName(name, budgets),
      });
    }
    for (const part of partsOf(expr)) look(part);
  };
  look(written.expr);
};

/** The name in `budget.name` or `budget["name"]`. */
function budgetOf({ exprKind: kind }: Expr): string | undefined {
  const isBudget = (expr: Expr | undefined) =>
    expr?.exprKind.case === "identExpr" && expr.exprKind.value.name === "budget";
  if (kind.case === "selectExpr") return isBudget(kind.value.operand) ? kind.value.field : undefined;
  if (kind.case !== "callExpr" || kind.value.function !== "_[_]") return undefined;
  const [target, key] = kind.value.args;
  return isBudget(target) && key ? literalText(key) : undefined;
}
