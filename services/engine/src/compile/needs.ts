import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import type { CallTypes } from "../cel/node.ts";
import type { Shape } from "../typing/shape.ts";
import type { Steps } from "./steps.ts";

/** What a text needs that takes long to make: the variables that it names itself, and its patterns. */
interface Needs {
  readonly variables: ReadonlySet<string>;
  readonly patterns: ReadonlySet<string>;
}

export function needsOf(expr: Expr): Needs {
  const needs = { variables: new Set<string>(), patterns: new Set<string>() };
  visit(expr, ({ exprKind: kind }) => {
    if (kind.case === "selectExpr") {
      const operand = kind.value.operand?.exprKind;
      if (operand?.case === "identExpr" && operand.value.name === "vars") needs.variables.add(kind.value.field);
    } else if (kind.case === "callExpr" && kind.value.function === "matches") {
      const pattern = literalOf(kind.value.args.at(-1));
      if (pattern !== undefined) needs.patterns.add(pattern);
    }
  });
  return needs;
}

function literalOf(expr: Expr | undefined): string | undefined {
  const kind = expr?.exprKind;
  if (kind?.case !== "constExpr" || kind.value.constantKind.case !== "stringValue") return undefined;
  return kind.value.constantKind.value;
}

function visit(expr: Expr | undefined, see: (part: Expr) => void): void {
  if (!expr) return;
  see(expr);
  for (const part of below(expr)) visit(part, see);
}

function below({ exprKind: kind }: Expr): readonly (Expr | undefined)[] {
  switch (kind.case) {
    case "selectExpr":
      return [kind.value.operand];
    case "callExpr":
      return [kind.value.target, ...kind.value.args];
    case "listExpr":
      return kind.value.elements;
    case "structExpr":
      return kind.value.entries.map((entry) => entry.value);
    case "comprehensionExpr":
      return [kind.value.iterRange, kind.value.loopStep];
    default:
      return [];
  }
}

/** Of asking a shape that is put together of so many others, in the unit of {@link Steps}. */
const askCost = 0.2;

interface Asking {
  readonly types: CallTypes;
  readonly variable: (name: string) => Shape | undefined;
  readonly locals: ReadonlyMap<string, Shape | undefined>;
}

/**
 * Asks the schemas of many tools for every place that a text reads, one after the other: they remember what they
 * answered, so that compiling the text finds it there.
 */
export function* askShapes(expr: Expr, types: CallTypes, variable: Asking["variable"]): Steps<void> {
  if (types.input.width + types.context.width <= 2) return;
  yield* shapeOf(expr, { types, variable, locals: new Map() });
}

function* shapeOf(expr: Expr | undefined, asking: Asking): Steps<Shape | undefined> {
  if (!expr) return undefined;
  const { exprKind: kind } = expr;
  switch (kind.case) {
    case "identExpr": {
      const { name } = kind.value;
      if (asking.locals.has(name)) return asking.locals.get(name);
      return name === "input" || name === "context" ? asking.types[name] : undefined;
    }
    case "selectExpr": {
      const { operand, field } = kind.value;
      const of = operand?.exprKind.case === "identExpr" ? operand.exprKind.value.name : undefined;
      if (of === "vars" && !asking.locals.has(of)) return asking.variable(field);
      return yield* propertyOf(yield* shapeOf(operand, asking), field);
    }
    case "callExpr": {
      const { function: name, target, args } = kind.value;
      const [first] = [yield* shapeOf(target, asking)];
      const shapes: (Shape | undefined)[] = [];
      for (const arg of args) shapes.push(yield* shapeOf(arg, asking));
      if (name !== "_[_]" || first) return undefined;
      const key = literalOf(args[1]);
      return key === undefined ? yield* itemOf(shapes[0]) : yield* propertyOf(shapes[0], key);
    }
    case "comprehensionExpr": {
      const { iterRange, iterVar, loopStep } = kind.value;
      const range = yield* shapeOf(iterRange, asking);
      const locals = new Map(asking.locals).set(iterVar, yield* itemOf(range));
      yield* shapeOf(loopStep, { ...asking, locals });
      return range;
    }
    default:
      for (const part of below(expr)) yield* shapeOf(part, asking);
      return undefined;
  }
}

function* propertyOf(shape: Shape | undefined, name: string): Steps<Shape | undefined> {
  if (!shape) return undefined;
  const found = shape.property(name);
  yield askCost * shape.width;
  return found;
}

function* itemOf(shape: Shape | undefined): Steps<Shape | undefined> {
  if (!shape) return undefined;
  const found = shape.item();
  yield askCost * shape.width;
  return found;
}
