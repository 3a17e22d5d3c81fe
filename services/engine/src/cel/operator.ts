import type { Expr, Expr_Call } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { index } from "./access.ts";
import { add, divide, multiply, negate, type Operation, remainder, subtract } from "./arithmetic.ts";
import { contains, equal, equalText, order } from "./compare.ts";
import { addable, checkMembers, clash, comparable, divides, rejectClash } from "./contradiction.ts";
import type { Run } from "./frame.ts";
import { and, choose, not, or } from "./logic.ts";
import { accepts, type Compiling, type Node, type StaticType } from "./node.ts";
import { placed, settled } from "./place.ts";
import { itemPlace, propertyPlace } from "./property.ts";
import { Failure } from "./value.ts";

type CompileExpr = (expr: Expr, compiling: Compiling) => Node;
type Build = (expr: Expr, args: readonly Expr[], nodes: readonly Node[], compiling: Compiling) => Node;

/** Compiles an operator; undefined if the call is none. */
export function compileOperator(
  expr: Expr,
  call: Expr_Call,
  compiling: Compiling,
  compile: CompileExpr,
): Node | undefined {
  const operator = Object.hasOwn(operators, call.function) ? operators[call.function] : undefined;
  if (!operator || call.target) return undefined;
  const nodes = call.args.map((arg) => compile(arg, compiling));
  return operator(expr, call.args, nodes, compiling);
}

const sizeOf = (nodes: readonly Node[]) => nodes.reduce((total, node) => total + node.size, 1);
const dead: Node = { run: () => null, type: "dyn", size: 1 };

function logical(sign: string, run: (...nodes: [Node, Node]) => Run): Build {
  return (_, args, nodes, compiling) => {
    for (const [at, arg] of args.entries())
      accepts(compiling, arg, nodes[at] ?? dead, `a side of \`${sign}\``, ["bool"]);
    return { run: run(nodes[0] ?? dead, nodes[1] ?? dead), type: "bool", size: sizeOf(nodes) };
  };
}

const numbers: readonly StaticType[] = ["int", "double"];

function equality(sign: "==" | "!=", positive: boolean): Build {
  return (expr, args, [left = dead, right = dead], compiling) => {
    const size = sizeOf([left, right]);
    if (left.constant?.value === null || right.constant?.value === null) {
      const other = left.constant?.value === null ? right : left;
      return { run: isNull(other, positive), type: "bool", size };
    }
    if (clash(left, right)) return rejectClash(expr, sign, left, right, compiling);
    comparable(left, right, args[1] ?? expr, compiling);
    comparable(right, left, args[0] ?? expr, compiling);
    const [first, second] = [left.plain ?? left.run, right.plain ?? right.run];
    const literal = right.constant?.value;
    if (typeof literal === "string") return { run: isText(first, literal, positive), type: "bool", size };
    const run: Run = (frame) => {
      const a = first(frame);
      if (a instanceof Failure) return a;
      const b = second(frame);
      if (b instanceof Failure) return b;
      const same = equal(a, b, frame);
      return typeof same === "boolean" ? same === positive : same;
    };
    return { run, type: "bool", size };
  };
}

/** The commonest comparison of all, with a text of the condition: the same as `equal`, without the way there. */
function isText(read: Run, literal: string, positive: boolean): Run {
  return (frame) => {
    const value = read(frame);
    if (typeof value === "string") {
      const known = equalText(value, literal, frame);
      return typeof known === "boolean" ? known === positive : known;
    }
    if (value instanceof Failure) return value;
    const same = equal(value, literal, frame);
    return typeof same === "boolean" ? same === positive : same;
  };
}

/** Asking for null by name is the one comparison across types. */
function isNull(operand: Node, positive: boolean): Run {
  return (frame) => {
    const value = operand.run(frame);
    return value instanceof Failure ? value : (value === null) === positive;
  };
}

const ordered: readonly StaticType[] = ["int", "double", "string", "bool", "timestamp", "duration", "amount"];

function ordering(sign: string, holds: (order: number) => boolean): Build {
  return (expr, args, [left = dead, right = dead], compiling) => {
    const size = sizeOf([left, right]);
    const fits = [left, right].map((node, at) =>
      accepts(compiling, args[at] ?? expr, node, `a side of \`${sign}\``, ordered),
    );
    if (!fits.includes(false) && clash(left, right)) return rejectClash(expr, sign, left, right, compiling);
    const [first, second] = [left.plain ?? left.run, right.plain ?? right.run];
    // A literal that a double holds exactly is compared as one: no bigint on the way.
    const literal = right.constant?.value;
    const limit = typeof literal === "bigint" && Number.isSafeInteger(Number(literal)) ? Number(literal) : undefined;
    return { run: compared(first, second, limit, holds), type: "bool", size };
  };
}

/** Made apart from what compiles it, like everything that runs: else it would keep all of that in memory. */
function compared(first: Run, second: Run, limit: number | undefined, holds: (order: number) => boolean): Run {
  return (frame) => {
    const a = first(frame);
    if (limit !== undefined && typeof a === "number") return holds(a - limit);
    if (a instanceof Failure) return a;
    const b = second(frame);
    if (b instanceof Failure) return b;
    const found = order(a, b, frame);
    return typeof found === "number" ? holds(found) : found;
  };
}

function arithmetic(sign: string, operation: Operation, types: readonly StaticType[]): Build {
  return (expr, args, [left = dead, right = dead], compiling) => {
    const fits = [left, right].map((node, at) =>
      accepts(compiling, args[at] ?? expr, node, `a side of \`${sign}\``, types),
    );
    if (fits.includes(false)) return dead;
    if (!addable(sign, left, right)) return rejectClash(expr, sign, left, right, compiling);
    if (sign === "/") divides(expr, args, [left, right], compiling);
    const run = computed(settled(left), settled(right), operation);
    return { run, type: resultType(sign, left.type, right.type), size: sizeOf([left, right]) };
  };
}

function computed(first: Run, second: Run, operation: Operation): Run {
  return (frame) => {
    const a = first(frame);
    if (a instanceof Failure) return a;
    const b = second(frame);
    return b instanceof Failure ? b : operation(a, b, frame);
  };
}

function resultType(sign: string, left: StaticType, right: StaticType): StaticType {
  if (sign === "*" && (left === "amount" || right === "amount")) return "amount";
  if (left === right && left !== "timestamp") return left;
  return numbers.includes(left) && numbers.includes(right) ? "double" : "dyn";
}

const operators: Readonly<Record<string, Build>> = {
  "_&&_": logical("&&", and),
  "_||_": logical("||", or),
  "!_": (expr, [arg = expr], [operand = dead], compiling) => {
    accepts(compiling, arg, operand, "what `!` turns round", ["bool"]);
    return { run: not(operand), type: "bool", size: operand.size + 1 };
  },
  "_?_:_": (expr, [arg = expr], [condition = dead, then = dead, otherwise = dead], compiling) => {
    accepts(compiling, arg, condition, "the condition of `? :`", ["bool"]);
    const type = then.type === otherwise.type ? then.type : "dyn";
    const run = choose(condition, settled(then), settled(otherwise));
    return { run, type, size: sizeOf([condition, then, otherwise]) };
  },
  "_==_": equality("==", true),
  "_!=_": equality("!=", false),
  "_<_": ordering("<", (compared) => compared < 0),
  "_<=_": ordering("<=", (compared) => compared <= 0),
  "_>_": ordering(">", (compared) => compared > 0),
  "_>=_": ordering(">=", (compared) => compared >= 0),
  "_+_": arithmetic("+", add, ["int", "double", "string", "list", "timestamp", "duration", "amount"]),
  "_-_": arithmetic("-", subtract, ["int", "double", "timestamp", "duration", "amount"]),
  "_*_": arithmetic("*", multiply, [...numbers, "amount"]),
  "_/_": arithmetic("/", divide, numbers),
  "_%_": arithmetic("%", remainder, numbers),
  "-_": (expr, [arg = expr], [operand = dead], compiling) => {
    accepts(compiling, arg, operand, "what `-` turns round", numbers);
    const run: Run = (frame) => {
      const value = operand.run(frame);
      return value instanceof Failure ? value : negate(value);
    };
    return { run, type: operand.type, size: operand.size + 1 };
  },
  "@in": (expr, [, list = expr], [item = dead, container = dead], compiling) => {
    accepts(compiling, list, container, "what stands after `in`", ["list", "map"]);
    checkMembers(item, container, list, compiling, expr);
    const mixed = container.constant !== undefined;
    const read = item.plain ?? item.run;
    const run: Run = (frame) => {
      const value = read(frame);
      if (value instanceof Failure) return value;
      const all = container.run(frame);
      return all instanceof Failure ? all : contains(value, all, mixed, frame);
    };
    return { run, type: "bool", size: sizeOf([item, container]) };
  },
  "_[_]": (expr, [of = expr, keyExpr = expr], [container = dead, key = dead], compiling) => {
    accepts(compiling, of, container, "what is indexed", ["list", "map"]);
    const shown = key.constant ? JSON.stringify(String(key.constant.value)) : (key.path ?? "…");
    const path = `${container.path ?? "a value"}[${shown}]`;
    const size = sizeOf([container, key]);
    const name = key.constant?.value;
    const place =
      typeof name === "string"
        ? propertyPlace(container, name, compiling, compiling.offsetOf(keyExpr))
        : itemPlace(container, compiling);
    if (place === undefined || place === "none") {
      const type = container.items ?? "dyn";
      return { run: index(container, key, path, container.place), type, size, path };
    }
    return placed(index(container, key, path), size, path, place);
  },
};
