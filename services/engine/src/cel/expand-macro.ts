import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import type { ExprBuilder } from "./expr-builder.ts";

/** What a macro goes on with from one element to the next. */
const accumulator = "@result";

/**
 * What a call stands for that is one of CEL's macros, as the language's definition expands them; undefined if it is none.
 */
export function expandMacro(
  build: ExprBuilder,
  { offset, name, target, args }: { offset: number; name: string; target: Expr; args: readonly Expr[] },
): Expr | undefined {
  const [variable, first, second] = args;
  if (variable?.exprKind.case !== "identExpr" || !first) return undefined;
  const iterVar = variable.exprKind.value.name;
  const result = () => build.name(offset, accumulator);
  const bool = (value: boolean) => build.constant(offset, { case: "boolValue", value });
  const int = (value: bigint) => build.constant(offset, { case: "int64Value", value });
  const call = (operator: string, ...parts: Expr[]) => build.call(offset, operator, parts);
  const loop = (accuInit: Expr, loopStep: Expr, loopCondition = bool(true), answer = result()) =>
    build.expr(offset, {
      case: "comprehensionExpr",
      value: {
        $typeName: "cel.expr.Expr.Comprehension",
        accuVar: accumulator,
        accuInit,
        iterVar,
        iterVar2: "",
        iterRange: target,
        loopStep,
        loopCondition,
        result: answer,
      },
    });
  const append = (item: Expr) => call("_+_", result(), build.list(offset, [item]));
  if (second) {
    if (name !== "map" || args.length !== 3) return undefined;
    return loop(build.list(offset, []), call("_?_:_", first, append(second), result()));
  }
  switch (name) {
    case "exists":
      return loop(bool(false), call("_||_", result(), first), call("@not_strictly_false", call("!_", result())));
    case "all":
      return loop(bool(true), call("_&&_", result(), first), call("@not_strictly_false", result()));
    case "map":
      return loop(build.list(offset, []), append(first));
    case "filter":
      return loop(build.list(offset, []), call("_?_:_", first, append(build.name(offset, iterVar)), result()));
    case "exists_one":
    case "existsOne":
      return loop(
        int(0n),
        call("_?_:_", first, call("_+_", result(), int(1n)), result()),
        bool(true),
        call("_==_", result(), int(1n)),
      );
    default:
      return undefined;
  }
}
