import { unparse } from "@bufbuild/cel";
import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { openRoot, rootNames } from "../cel/fact-paths.ts";
import { parseCondition } from "../cel/parse-condition.ts";

/** A text as its author wrote it, macros not expanded. */
export interface ExpressionTree {
  readonly root: Expr;
  /** What stands in the place of a part: the call of a macro for its expansion. */
  readonly written: (part: Expr) => Expr;
  readonly textOf: (part: Expr) => string;
}

/** Parses a text that has compiled. */
export function expressionTree(text: string): ExpressionTree | undefined {
  const parsed = parseCondition(text);
  if ("message" in parsed) return undefined;
  const { expr, macroOf } = parsed;
  const written = (part: Expr) => macroOf(part) ?? part;
  const inWords = (part: Expr): Expr => mapped(written(part), inWords);
  return { root: expr, written, textOf: (part) => unparse(inWords(part)) };
}

/** The same part with others in the places of those right below it. */
function mapped(part: Expr, change: (below: Expr) => Expr): Expr {
  const { exprKind: kind } = part;
  switch (kind.case) {
    case "selectExpr": {
      const { operand } = kind.value;
      return operand
        ? { ...part, exprKind: { case: kind.case, value: { ...kind.value, operand: change(operand) } } }
        : part;
    }
    case "callExpr": {
      const { target, args } = kind.value;
      const value = { ...kind.value, args: args.map(change), ...(target && { target: change(target) }) };
      return { ...part, exprKind: { case: kind.case, value } };
    }
    case "listExpr":
      return {
        ...part,
        exprKind: { case: kind.case, value: { ...kind.value, elements: kind.value.elements.map(change) } },
      };
    default:
      return part;
  }
}

/** What a part is computed from, in order: what it is called on first. Names of function spaces are not among it. */
export function operandsOf(part: Expr, locals: ReadonlySet<string>): readonly Expr[] {
  const { exprKind: kind } = part;
  switch (kind.case) {
    case "selectExpr":
      return kind.value.operand ? [kind.value.operand] : [];
    case "callExpr": {
      const { target, args } = kind.value;
      return target && !isSpace(target, locals) ? [target, ...args] : args;
    }
    case "listExpr":
      return kind.value.elements;
    case "structExpr":
      return kind.value.entries.flatMap(({ value }) => (value ? [value] : []));
    default:
      return [];
  }
}

function isSpace({ exprKind: kind }: Expr, locals: ReadonlySet<string>): boolean {
  if (kind.case !== "identExpr") return false;
  const { name } = kind.value;
  return !locals.has(name) && openRoot(name) === undefined && !rootNames.includes(name);
}

/** A call or operator of these with texts in the place of some operands. */
export function withTexts(part: Expr, texts: ReadonlyMap<Expr, string>): Expr {
  return mapped(part, (operand) => {
    const name = texts.get(operand);
    if (name === undefined) return operand;
    return { ...operand, exprKind: { case: "identExpr", value: { $typeName: "cel.expr.Expr.Ident", name } } };
  });
}

export function isConstant({ exprKind: kind }: Expr): boolean {
  if (kind.case === "constExpr") return true;
  return kind.case === "listExpr" && kind.value.elements.every(isConstant);
}

/** The function or operator of a call. */
export function functionOf({ exprKind: kind }: Expr): string | undefined {
  return kind.case === "callExpr" ? kind.value.function : undefined;
}

export interface NamePath {
  readonly root: string;
  /** Keys below it; places in lists are not among them. */
  readonly keys: readonly string[];
  /** Whether the path goes on by a key that is computed. */
  readonly open: boolean;
}

/** The path that a part is, such as `input.to[0].country`; undefined if it is none. */
export function pathOf(part: Expr): NamePath | undefined {
  const { exprKind: kind } = part;
  if (kind.case === "identExpr") return { root: kind.value.name, keys: [], open: false };
  if (kind.case === "selectExpr" && kind.value.operand) {
    const above = pathOf(kind.value.operand);
    return above && { ...above, keys: above.open ? above.keys : [...above.keys, kind.value.field] };
  }
  if (kind.case !== "callExpr" || kind.value.function !== "_[_]") return undefined;
  const [container, key] = kind.value.args;
  const above = container && pathOf(container);
  if (!above || above.open || !key) return above;
  const constant = key.exprKind.case === "constExpr" ? key.exprKind.value.constantKind : undefined;
  if (constant?.case === "int64Value") return above;
  return constant?.case === "stringValue"
    ? { ...above, keys: [...above.keys, constant.value] }
    : { ...above, open: true };
}
