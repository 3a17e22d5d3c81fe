import type { Expr, Expr_Call } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { present } from "./access.ts";
import { conversions } from "./convert.ts";
import { type Frame, type Run, spend } from "./frame.ts";
import { type CelFunction, lookup } from "./function-table.ts";
import { accepts, type Compiling, type Node, reject } from "./node.ts";
import { compileOperator } from "./operator.ts";
import { settled } from "./place.ts";
import { globals, spaced, spaces } from "./spaces.ts";
import { methods } from "./text-functions.ts";
import { costFailure, Failure, typeConfusion, type Value } from "./value.ts";

type CompileExpr = (expr: Expr, compiling: Compiling) => Node;

/** What the parser leaves as a call is not a macro's right form. */
const macros: Readonly<Record<string, string>> = {
  all: "list.all(x, condition)",
  exists: "list.exists(x, condition)",
  exists_one: "list.exists_one(x, condition)",
  filter: "list.filter(x, condition)",
  map: "list.map(x, value), or list.map(x, condition, value)",
};
const methodNames = [...Object.keys(methods), "size", "matches", ...Object.keys(macros)];
const globalNames = [...Object.keys(globals), "present", "has", "matches", ...Object.keys(spaced)];

/** Compiles an operator, a function or a method. */
export function compileCall(expr: Expr, call: Expr_Call, compiling: Compiling, compile: CompileExpr): Node {
  const { function: name, target, args } = call;
  const operator = compileOperator(expr, call, compiling, compile);
  if (operator) return operator;
  if (!target) return compileGlobal(expr, name, args, compiling, compile);
  const space = target.exprKind.case === "identExpr" ? target.exprKind.value.name : "";
  if (spaces.includes(space) && !compiling.locals.has(space)) {
    const found = lookup(spaced, `${space}.${name}`);
    if (found) return applied(expr, `${space}.${name}`, found, args, compiling, compile);
    return unknown(expr, `${space}.${name}`, Object.keys(spaced), compiling);
  }
  if (name === "matches") return compileMatches(expr, target, args[0], args.length === 1, compiling, compile);
  const method = name === "size" ? conversions.size : lookup(methods, name);
  if (method) return applied(expr, name, method, [target, ...args], compiling, compile);
  if (compiling.locals.has(space) && lookup(spaced, `${space}.${name}`)) {
    const message = `\`${space}\` is what the macro binds here, and hides the function \`${space}.${name}\``;
    return reject(compiling, expr, message, { expected: `another name, such as ${space[0]}` });
  }
  return unknown(expr, name, methodNames, compiling);
}

function compileGlobal(
  expr: Expr,
  name: string,
  args: readonly Expr[],
  compiling: Compiling,
  compile: CompileExpr,
): Node {
  if (name === "present") return compilePresent(expr, args, compiling, compile);
  if (name === "has") return reject(compiling, expr, "`has` takes one field", { expected: "has(input.memo)" });
  if (name === "matches" && args[0]) {
    return compileMatches(expr, args[0], args[1], args.length === 2, compiling, compile);
  }
  const found = lookup(globals, name);
  return found ? applied(expr, name, found, args, compiling, compile) : unknown(expr, name, globalNames, compiling);
}

function unknown(expr: Expr, name: string, names: readonly string[], compiling: Compiling): Node {
  const macro = Object.hasOwn(macros, name) ? macros[name] : undefined;
  if (macro) return reject(compiling, expr, `\`${name}\` is used wrongly`, { expected: macro });
  return reject(compiling, expr, `unknown function \`${name}\``, { name, names });
}

function compilePresent(expr: Expr, args: readonly Expr[], compiling: Compiling, compile: CompileExpr): Node {
  const [path] = args;
  if (args.length !== 1 || !path || !isPath(path)) {
    return reject(compiling, expr, "`present` takes one path", { expected: "present(input.memo)" });
  }
  const operand = compile(path, compiling);
  return { run: present(operand), type: "bool", size: operand.size + 1 };
}

function isPath(expr: Expr): boolean {
  const { exprKind: kind } = expr;
  if (kind.case === "identExpr") return true;
  if (kind.case === "selectExpr")
    return !kind.value.testOnly && kind.value.operand !== undefined && isPath(kind.value.operand);
  return (
    kind.case === "callExpr" &&
    kind.value.function === "_[_]" &&
    kind.value.args[0] !== undefined &&
    isPath(kind.value.args[0])
  );
}

/** `text.matches("pattern")`: whether the pattern is found anywhere in the text. */
function compileMatches(
  expr: Expr,
  text: Expr,
  pattern: Expr | undefined,
  complete: boolean,
  compiling: Compiling,
  compile: CompileExpr,
): Node {
  const operand = compile(text, compiling);
  accepts(compiling, text, operand, "the text of `matches`", ["string"]);
  const written = pattern && compile(pattern, compiling).constant?.value;
  if (!complete || !pattern || typeof written !== "string") {
    return reject(compiling, pattern ?? expr, "`matches` takes one pattern, written in the policy", {
      expected: 'a literal such as "^[a-z]+$"',
    });
  }
  const regex = compiling.regex(written);
  if ("problem" in regex) {
    return reject(compiling, pattern, `a pattern that is not supported: ${regex.problem}`, {
      expected: "RE2's syntax",
    });
  }
  const run = (frame: Frame) => {
    const value = operand.run(frame);
    if (value instanceof Failure) return value;
    if (typeof value !== "string") return typeConfusion("matches()", value);
    return spend(frame, regex.steps(value.length)) ? regex.search(value) : costFailure;
  };
  return { run, type: "bool", size: operand.size + 1, search: regex.steps };
}

function applied(
  expr: Expr,
  name: string,
  found: CelFunction,
  args: readonly Expr[],
  compiling: Compiling,
  compile: CompileExpr,
): Node {
  const nodes = args.map((arg) => compile(arg, compiling));
  const { params, optional = 0, result } = found;
  if (args.length > params.length || args.length < params.length - optional) {
    return reject(compiling, expr, `\`${name}\` takes ${params.length} values, not ${args.length}`);
  }
  const fits = args.map((arg, index) => {
    const node = nodes[index];
    return !node || accepts(compiling, arg, node, `what \`${name}\` takes`, params[index] ?? ["dyn"]);
  });
  for (const [index, arg] of args.entries()) {
    const constant = nodes[index]?.constant;
    const problem = constant && fits[index] ? found.literal?.(index, constant.value) : undefined;
    if (problem) return reject(compiling, arg, problem.message, problem);
  }
  const size = nodes.reduce((total, node) => total + node.size, found.steps ?? 1);
  const known = nodes.map((node) => node.constant);
  const apply = found.prepare?.(known.map((constant) => constant?.value)) ?? found.apply;
  // What a function of any value hands on leaves its place.
  const runs = nodes.map((node) => (result === "dyn" ? settled(node) : node.run));
  const run = withArguments(runs, apply);
  if (!found.folds || fits.includes(false) || known.includes(undefined))
    return { run, type: result, items: found.items, size, never: found.never };
  return folded(
    expr,
    name,
    found,
    known.map((constant) => constant?.value ?? null),
    compiling,
  );
}

function withArguments(runs: readonly Run[], apply: CelFunction["apply"]): Run {
  const [first, second] = runs;
  // A list that grows takes room for many items at once, so the commonest number is written out.
  if (runs.length === 2 && first && second) {
    return (frame) => {
      const one = first(frame);
      if (one instanceof Failure) return one;
      const other = second(frame);
      return other instanceof Failure ? other : apply([one, other], frame);
    };
  }
  return (frame) => {
    const values: Value[] = [];
    for (const read of runs) {
      const value = read(frame);
      if (value instanceof Failure) return value;
      values.push(value);
    }
    return apply(values, frame);
  };
}

const noFrame = { meter: { steps: Number.MAX_SAFE_INTEGER } } as unknown as Frame;

function folded(expr: Expr, name: string, found: CelFunction, values: readonly Value[], compiling: Compiling): Node {
  const value = found.apply(values, noFrame);
  if (value instanceof Failure)
    return reject(compiling, expr, `\`${name}\` of ${JSON.stringify(String(values[0]))}: ${value.why}`);
  return { run: () => value, type: found.result, size: 1, constant: { value } };
}
