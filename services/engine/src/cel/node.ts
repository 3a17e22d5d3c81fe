import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { nearestName } from "../documents/nearest.ts";
import type { ProblemCode } from "../documents/problem-code.ts";
import type { Shape } from "../typing/shape.ts";
import type { Run } from "./frame.ts";
import { type Place, typesOf, type Way } from "./place.ts";
import type { compileRegex } from "./regex.ts";
import { Failure, type Value } from "./value.ts";

/** What is known of a value before it is computed; `dyn` is anything. */
export type StaticType =
  | "dyn"
  | "bool"
  | "int"
  | "double"
  | "string"
  | "null"
  | "list"
  | "map"
  | "timestamp"
  | "duration"
  | "amount"
  | "type";

/** One compiled part of a condition. */
export interface Node {
  readonly run: Run;
  readonly type: StaticType;
  /** Of a list: the type of every element, where it is known. */
  readonly items?: StaticType | undefined;
  /** How many parts it has: the steps it costs to run once. */
  readonly size: number;
  /** Set when the value is known now. */
  readonly constant?: { readonly value: Value };
  /** How the author wrote it, when it is a path such as `input.to.country`. */
  readonly path?: string;
  /** Where in the input or the context its value stands, if it stands there. */
  readonly place?: Place;
  /** The same as `run`, with the ints of schemas as JavaScript numbers: enough wherever numbers are only compared. */
  readonly plain?: Run;
  /** What is wrong with a literal that its value can never be. */
  readonly never?:
    | ((literal: Value) => Pick<ConditionProblem, "message" | "expected" | "nearest"> | undefined)
    | undefined;
  /** The most steps of a search by a pattern in a text of so many characters. */
  readonly search?: (chars: number) => number;
}

/** What is wrong in a condition, `offset` UTF-16 units into it. */
export interface ConditionProblem {
  readonly offset: number;
  readonly message: string;
  readonly expected?: string | undefined;
  readonly nearest?: string | undefined;
  /** Absent: an error. */
  readonly severity?: "warning";
  /** Absent: a condition that does not compile. */
  readonly code?: ProblemCode;
}

/** An answer that a condition reads: checked against the policy's questions. */
export interface AnswerUse {
  readonly id: string;
  readonly offset: number;
}

/** What the schemas of the tools that a condition may meet say of their calls. */
export interface CallTypes {
  readonly input: Shape;
  readonly context: Shape;
  /** How messages call what has an input: `the input of pay`. */
  readonly owner: string;
}

/** What a condition may name besides the facts. */
export interface Variables {
  /** The variable's number and type; undefined if there is none of that name. */
  find(name: string):
    | {
        readonly index: number;
        readonly type: StaticType;
        readonly node: Node | undefined;
        /** Equal for variables, of other policies too, that mean the same. */
        readonly key: string;
      }
    | undefined;
  names(): readonly string[];
  /** A number for one more value bound by a macro, its own within the policy. */
  newLocal(): number;
}

/** The state of compiling one condition. */
export interface Compiling {
  readonly variables: Variables;
  readonly problems: ConditionProblem[];
  readonly answers: AnswerUse[];
  /** Absent where no tool is known that the condition could meet. */
  readonly types: CallTypes | undefined;
  /** Told of every place that was asked for and of what was found there: undefined if it cannot be. */
  readonly consult: (steps: Way, shape: Shape | undefined) => void;
  /** Compiles a pattern, or finds it compiled. */
  readonly regex: typeof compileRegex;
  readonly usedVariables: Set<string>;
  /** Names of the budgets that it reads. */
  readonly budgets: Set<string>;
  readonly offsetOf: (expr: Expr) => number;
  readonly locals: ReadonlyMap<string, Node>;
  /** How many macros enclose this part. */
  readonly macros: number;
  /** Given every part once it is compiled; what it answers takes the part's place. Only explanations watch. */
  readonly watch?: (expr: Expr, node: Node) => Node;
}

const deadFailure = new Failure("error", "the condition did not compile");

/** Notes a problem; what it answers stands in for the part, so that the rest is checked too. */
export function reject(
  compiling: Compiling,
  expr: Expr | number,
  message: string,
  details: {
    expected?: string | undefined;
    nearest?: string | undefined;
    name?: string;
    names?: Iterable<string>;
  } = {},
): Node {
  compiling.problems.push({
    offset: typeof expr === "number" ? expr : compiling.offsetOf(expr),
    message,
    expected: details.expected,
    nearest: details.name === undefined ? details.nearest : nearestName(details.name, details.names ?? []),
  });
  return { run: () => deadFailure, type: "dyn", size: 1 };
}

/** Notes something odd that is no error. */
export function warn(compiling: Compiling, expr: Expr, code: ProblemCode, message: string, expected: string): void {
  compiling.problems.push({ offset: compiling.offsetOf(expr), message, expected, severity: "warning", code });
}

/** Whether a part can have one of the types; says so when it cannot. */
export function accepts(
  compiling: Compiling,
  expr: Expr,
  node: Node,
  what: string,
  types: readonly StaticType[],
): boolean {
  const possible = typesOf(node);
  if (types.includes("dyn") || possible.some((type) => type === "dyn" || types.includes(type))) return true;
  const message = `${what} cannot be ${typeWords(possible)}`;
  reject(compiling, expr, message, { expected: types.map(typeWord).join(" or ") });
  return false;
}

export function typeWords(types: readonly StaticType[]): string {
  return types.map(typeWord).join(" or ");
}

export function typeWord(type: StaticType): string {
  if (type === "dyn") return "any value";
  if (type === "null") return "null";
  return `${type === "int" || type === "amount" ? "an" : "a"} ${type}`;
}
