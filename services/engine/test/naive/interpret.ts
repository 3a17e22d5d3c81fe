import type { Expr, Expr_Call, Expr_Comprehension } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { callFunction } from "./functions.ts";
import { operate } from "./operators.ts";
import { type Answer, Dictionary, type Key, Kind, type Known, missing, odd, Unknown } from "./values.ts";

/** What a condition may name: facts by their root or, where they are fixed, by root and field; variables when they are asked for, and what macros bind. */
export interface Surroundings {
  readonly facts: ReadonlyMap<string, Answer>;
  readonly variable: (name: string) => Answer;
  /** A field of a budget. */
  readonly budget: (name: string, field: string) => Answer;
  readonly bound: ReadonlyMap<string, Answer>;
  /** A way in which this interpreter is wrong on purpose. */
  readonly flaw?: string | undefined;
}

const typeNames = ["bool", "int", "double", "string", "list", "map", "null_type"];

/** The value of a parsed condition, by walking its tree. A macro is run as what the parser expanded it to. */
export function interpret(expr: Expr, around: Surroundings): Answer {
  const { exprKind: kind } = expr;
  switch (kind.case) {
    case "constExpr":
      return kind.value.constantKind.case === "nullValue" ? null : (kind.value.constantKind.value as Known);
    case "identExpr":
      return named(kind.value.name, around);
    case "selectExpr": {
      const { operand, field, testOnly } = kind.value;
      const root = nameOf(operand);
      if (root !== undefined && !around.bound.has(root)) {
        if (root === "vars") return around.variable(field);
        const fact = around.facts.get(`${root}.${field}`);
        if (fact !== undefined) return testOnly ? there(fact) : fact;
      }
      const budget = budgetOf(operand, around);
      if (budget !== undefined) {
        const fact = around.budget(budget, field);
        return testOnly ? there(fact) : fact;
      }
      const value = interpret(operand as Expr, around);
      if (value instanceof Unknown) return value;
      if (!(value instanceof Dictionary)) return value === null && !testOnly ? missing : odd;
      const entry = value.entries.get(field);
      return testOnly ? entry !== undefined : (entry ?? (entry === null ? null : missing));
    }
    case "callExpr":
      return called(kind.value, around);
    case "listExpr":
      return gathered(kind.value.elements.map((element) => interpret(element, around)));
    case "structExpr": {
      const values = gathered(kind.value.entries.map(({ value }) => interpret(value as Expr, around)));
      if (values instanceof Unknown) return values;
      const keys = kind.value.entries.map(({ keyKind }) => interpret(keyKind.value as Expr, around) as Key);
      return new Dictionary(new Map(keys.map((key, index) => [key, values[index] as Known])), true);
    }
    case "comprehensionExpr":
      return comprehended(kind.value, around);
    default:
      return odd;
  }
}

function nameOf(expr: Expr | undefined): string | undefined {
  return expr?.exprKind.case === "identExpr" ? expr.exprKind.value.name : undefined;
}

/** The name in `budget.name`, and in `budget["name"]`. */
function budgetOf(expr: Expr | undefined, { bound }: Surroundings): string | undefined {
  const kind = expr?.exprKind;
  if (bound.has("budget")) return undefined;
  if (kind?.case === "selectExpr") return nameOf(kind.value.operand) === "budget" ? kind.value.field : undefined;
  if (kind?.case !== "callExpr" || kind.value.function !== "_[_]") return undefined;
  const [of, key] = kind.value.args;
  if (nameOf(of) !== "budget" || key?.exprKind.case !== "constExpr") return undefined;
  const { constantKind } = key.exprKind.value;
  return constantKind.case === "stringValue" ? constantKind.value : undefined;
}

function named(name: string, { bound, facts }: Surroundings): Answer {
  if (bound.has(name)) return bound.get(name) as Answer;
  if (facts.has(name)) return facts.get(name) as Answer;
  return typeNames.includes(name) ? new Kind(name) : odd;
}

function gathered(values: readonly Answer[]): readonly Known[] | Unknown {
  return values.find((value) => value instanceof Unknown) ?? (values as Known[]);
}

function comprehended(macro: Expr_Comprehension, around: Surroundings): Answer {
  const range = interpret(macro.iterRange as Expr, around);
  if (range instanceof Unknown) return range;
  if (!Array.isArray(range) && !(range instanceof Dictionary)) return odd;
  const items: readonly Known[] = range instanceof Dictionary ? [...range.entries.keys()] : (range as Known[]);
  let accumulated = interpret(macro.accuInit as Expr, around);
  for (const item of items) {
    const bound = new Map(around.bound).set(macro.iterVar, item).set(macro.accuVar, accumulated);
    accumulated = interpret(macro.loopStep as Expr, { ...around, bound });
  }
  const bound = new Map(around.bound).set(macro.accuVar, accumulated);
  return interpret(macro.result as Expr, { ...around, bound });
}

function called(call: Expr_Call, around: Surroundings): Answer {
  const { function: name, target, args } = call;
  const value = (index: number) => interpret(args[index] as Expr, around);
  switch (name) {
    case "_&&_":
      return joined(value(0), () => value(1), false, around);
    case "_||_":
      return joined(value(0), () => value(1), true, around);
    case "!_": {
      const turned = value(0);
      if (turned instanceof Unknown && around.flaw === "not-of-unknown-is-true") return true;
      return typeof turned === "boolean" ? !turned : unknownOf(turned);
    }
    case "_?_:_": {
      const chosen = value(0);
      return typeof chosen === "boolean" ? value(chosen ? 1 : 2) : unknownOf(chosen);
    }
    case "present":
      return there(value(0));
    case "_==_":
    case "_!=_": {
      const asksForNull = args.findIndex((arg) => isNull(arg));
      if (asksForNull < 0) break;
      const other = value(1 - asksForNull);
      return other instanceof Unknown ? other : (other === null) === (name === "_==_");
    }
    default:
  }
  const space = nameOf(target);
  const spaced = space !== undefined && !around.bound.has(space) && !around.facts.has(space);
  const given = gathered([...(target && !spaced ? [target] : []), ...args].map((arg) => interpret(arg, around)));
  if (given instanceof Unknown) return given;
  if (spaced) return callFunction(`${space}.${name}`, given, around.flaw);
  const answer = operate(name, given, name === "@in" && isWritten(args[1]), around.flaw);
  return answer === undefined ? callFunction(name, given, around.flaw) : answer;
}

function there(value: Answer): Answer {
  if (value instanceof Unknown) return value.missing ? false : odd;
  return value !== null;
}

function unknownOf(value: Answer): Unknown {
  return value instanceof Unknown ? value : odd;
}

/** `&&` and `||`: the side that decides wins, wherever it stands. */
function joined(left: Answer, other: () => Answer, decides: boolean, { flaw }: Surroundings): Answer {
  if (left === decides) return decides;
  if (left instanceof Unknown && flaw === "unknown-ends-a-conjunction") return left;
  const right = other();
  if (right === decides) return decides;
  if (typeof left !== "boolean") return unknownOf(left);
  return typeof right === "boolean" ? right : unknownOf(right);
}

function isNull(expr: Expr): boolean {
  return expr.exprKind.case === "constExpr" && expr.exprKind.value.constantKind.case === "nullValue";
}

/** Whether a list is written out in the condition, of literals and of amounts that are written. */
function isWritten(expr: Expr | undefined): boolean {
  if (expr?.exprKind.case === "constExpr") return true;
  const call = expr?.exprKind.case === "callExpr" ? expr.exprKind.value : undefined;
  if (call?.function === "amount") return call.args.every(isWritten);
  return expr?.exprKind.case === "listExpr" && expr.exprKind.value.elements.every(isWritten);
}
