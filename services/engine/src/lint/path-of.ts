import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { literalText, type Written } from "./expressions.ts";

/** What names stand for: the policy's variables, and what macros bind. */
export interface Names {
  readonly variables: ReadonlyMap<string, Written>;
  readonly bound: ReadonlyMap<string, readonly string[]>;
}

/** Stands for every element of a list. */
export const everyElement = "*";

/** Calls that hand a text on: what is compared is still that text. */
const passing: ReadonlySet<string> = new Set(["lowerAscii", "upperAscii", "trim", "string", "dyn"]);

const followedMax = 8;

/**
 * The path that a part reads, root first, such as `input`, `files`, `*`, `path`: through variables, elements of lists and
 * calls that hand a text on. Undefined for what is computed.
 */
export function pathOf(expr: Expr, names: Names, followed = 0): readonly string[] | undefined {
  if (followed > followedMax) return undefined;
  const { exprKind: kind } = expr;
  if (kind.case === "identExpr") return names.bound.get(kind.value.name) ?? [kind.value.name];
  if (kind.case === "selectExpr") return selected(kind.value.operand, kind.value.field, names, followed);
  if (kind.case !== "callExpr") return undefined;
  const { function: name, target, args } = kind.value;
  const [first, second] = args;
  if (name === "_[_]" && first && second) {
    const above = pathOf(first, names, followed);
    return above && [...above, literalText(second) ?? everyElement];
  }
  const handed = target ?? first;
  return passing.has(name) && handed ? pathOf(handed, names, followed) : undefined;
}

function selected(operand: Expr | undefined, field: string, names: Names, followed: number) {
  const above = operand && pathOf(operand, names, followed);
  if (!above) return undefined;
  const variable = above.length === 1 && above[0] === "vars" ? names.variables.get(field) : undefined;
  return variable ? pathOf(variable.expr, { ...names, bound: new Map() }, followed + 1) : [...above, field];
}
