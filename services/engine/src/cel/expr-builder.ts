import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";

export type ExprKind = Expr["exprKind"];
type Constant = Extract<ExprKind, { case: "constExpr" }>["value"]["constantKind"];

/** Makes the parts of a syntax tree, and knows where each stands. */
export interface ExprBuilder {
  readonly expr: (offset: number, kind: ExprKind) => Expr;
  readonly constant: (offset: number, constant: Constant) => Expr;
  readonly name: (offset: number, name: string) => Expr;
  readonly call: (offset: number, name: string, args: Expr[], target?: Expr) => Expr;
  readonly select: (offset: number, operand: Expr, field: string, testOnly?: boolean) => Expr;
  readonly list: (offset: number, elements: Expr[]) => Expr;
  readonly map: (offset: number, messageName: string, entries: readonly Entry[]) => Expr;
  readonly offsetOf: (expr: Expr) => number;
}

interface Entry {
  readonly key: Expr | string;
  readonly value: Expr;
}

export function exprBuilder(): ExprBuilder {
  const offsets: number[] = [0];
  const expr = (offset: number, exprKind: ExprKind): Expr => {
    offsets.push(offset);
    return { $typeName: "cel.expr.Expr", id: BigInt(offsets.length - 1), exprKind };
  };
  return {
    expr,
    constant: (offset, constantKind) =>
      expr(offset, { case: "constExpr", value: { $typeName: "cel.expr.Constant", constantKind } }),
    name: (offset, name) => expr(offset, { case: "identExpr", value: { $typeName: "cel.expr.Expr.Ident", name } }),
    call: (offset, name, args, target) =>
      expr(offset, {
        case: "callExpr",
        value: { $typeName: "cel.expr.Expr.Call", function: name, args, ...(target && { target }) },
      }),
    select: (offset, operand, field, testOnly = false) =>
      expr(offset, { case: "selectExpr", value: { $typeName: "cel.expr.Expr.Select", operand, field, testOnly } }),
    list: (offset, elements) =>
      expr(offset, {
        case: "listExpr",
        value: { $typeName: "cel.expr.Expr.CreateList", elements, optionalIndices: [] },
      }),
    map: (offset, messageName, entries) =>
      expr(offset, {
        case: "structExpr",
        value: {
          $typeName: "cel.expr.Expr.CreateStruct",
          messageName,
          entries: entries.map(({ key, value }) => ({
            $typeName: "cel.expr.Expr.CreateStruct.Entry" as const,
            id: 0n,
            keyKind:
              typeof key === "string"
                ? { case: "fieldKey" as const, value: key }
                : { case: "mapKey" as const, value: key },
            value,
            optionalEntry: false,
          })),
        },
      }),
    offsetOf: ({ id }) => offsets[Number(id)] ?? 0,
  };
}
