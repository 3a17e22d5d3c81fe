import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { charSteps, orderSteps, searchSteps, shortPartMax } from "../cel/frame.ts";
import type { Node } from "../cel/node.ts";
import { isList } from "../cel/value.ts";

/** What every input keeps to, whatever its schema: 262144 bytes of JSON, and so many values at most. */
const inputCharsMax = 262_144;
const inputItemsMax = 131_072;
/** Facts that are no part of the call are short. */
const factCharsMax = 1024;
/** What names the text that a function looks for costs little up to here. */
const partCharsMax = 2048;
/** Looking a time zone up that is not written in the condition. */
const zoneSteps = 10_000;

/** The most steps of one part, besides those of its size, and the most that its value may hold; undefined: unbounded. */
interface Bound {
  readonly steps: number | undefined;
  readonly chars: number | undefined;
  readonly items: number | undefined;
}

/** How often a macro's element is looked at: the values below all elements together are no more than an input holds. */
interface Local {
  readonly times: number;
}

/** What the parts of a condition were compiled to, and what the variables that it uses cost. */
export interface Parts {
  readonly node: (part: Expr) => Node | undefined;
  readonly variable: (name: string) => Work | undefined;
}

/** What a condition or a variable may take: each variable is computed once, however many others use it. */
export interface Work {
  /** The most steps of its own, without those of its variables; undefined if nothing bounds them. */
  readonly own: number | undefined;
  /** The variables that it uses, itself or by another. */
  readonly uses: ReadonlySet<string>;
}

/** What a condition may take on any input within the limits. */
export function workOf(expr: Expr, parts: Parts): Work {
  const used = new Set<string>();
  const { steps } = boundOf(expr, { parts, locals: new Map(), used });
  const uses = new Set(used);
  for (const name of used) for (const below of parts.variable(name)?.uses ?? []) uses.add(below);
  return { own: sum([steps, parts.node(expr)?.size]), uses };
}

/** The most steps of all together; undefined where no schema bounds something that is gone through. */
export function stepsMost({ own, uses }: Work, variable: Parts["variable"]): number | undefined {
  return sum([own, ...[...uses].map((name) => variable(name)?.own)]);
}

interface Scope {
  readonly parts: Parts;
  readonly locals: ReadonlyMap<string, Local>;
  readonly used: Set<string>;
}

const small: Bound = { steps: 0, chars: 64, items: 0 };

function sum(numbers: readonly (number | undefined)[]): number | undefined {
  return numbers.reduce<number | undefined>(
    (total, number) => (total === undefined || number === undefined ? undefined : total + number),
    0,
  );
}

function boundOf(expr: Expr, scope: Scope): Bound {
  const { exprKind: kind } = expr;
  const node = scope.parts.node(expr);
  if (node?.constant) return constantBound(node.constant.value);
  switch (kind.case) {
    case "identExpr":
      return placeBound(expr, node, 0, scope);
    case "selectExpr": {
      const { operand, field } = kind.value;
      if (
        operand?.exprKind.case === "identExpr" &&
        operand.exprKind.value.name === "vars" &&
        !scope.locals.has("vars")
      ) {
        scope.used.add(field);
        return placeBound(expr, node, 0, scope);
      }
      return placeBound(expr, node, operand && boundOf(operand, scope).steps, scope);
    }
    case "callExpr":
      return callBound(expr, node, scope);
    case "listExpr":
      return {
        ...small,
        steps: sum(kind.value.elements.map((one) => boundOf(one, scope).steps)),
        items: kind.value.elements.length,
        chars: undefined,
      };
    case "structExpr":
      return {
        ...small,
        steps: sum(kind.value.entries.map(({ value }) => (value ? boundOf(value, scope).steps : 0))),
        items: kind.value.entries.length,
        chars: undefined,
      };
    case "comprehensionExpr":
      return macroBound(expr, scope);
    default:
      return small;
  }
}

function constantBound(value: unknown): Bound {
  const text = typeof value === "string" ? value.length : 64;
  const items = isList(value as never) ? (value as readonly unknown[]) : [];
  const chars = items.reduce<number>((most, item) => Math.max(most, typeof item === "string" ? item.length : 0), text);
  return { steps: 0, chars, items: items.length };
}

/** A part of the input is as long as its schema lets it, and all parts below the elements of a list are one input. */
function placeBound(expr: Expr, node: Node | undefined, steps: number | undefined, { locals }: Scope): Bound {
  if (node && ["bool", "int", "double", "null", "timestamp", "duration"].includes(node.type))
    return { ...small, steps };
  const text = node?.type === "string";
  const times = locals.get(rootOf(expr))?.times ?? 1;
  if (!node?.place) return { steps, chars: text ? factCharsMax : undefined, items: text ? 0 : undefined };
  const { chars, items, keys } = node.place.shape.most;
  const most = items === undefined || keys === undefined ? (items ?? keys) : Math.max(items, keys);
  return {
    steps,
    chars: chars === undefined ? undefined : Math.min(chars, inputCharsMax / times),
    items: text ? 0 : most === undefined ? undefined : Math.min(most, Math.ceil(inputItemsMax / times)),
  };
}

function rootOf(expr: Expr): string {
  const { exprKind: kind } = expr;
  if (kind.case === "identExpr") return kind.value.name;
  if (kind.case === "selectExpr" && kind.value.operand) return rootOf(kind.value.operand);
  const [of] = kind.case === "callExpr" && kind.value.function === "_[_]" ? kind.value.args : [];
  return of ? rootOf(of) : "";
}

function callBound(expr: Expr, node: Node | undefined, scope: Scope): Bound {
  if (expr.exprKind.case !== "callExpr") return small;
  const { function: name, target, args } = expr.exprKind.value;
  const bounds = [...(target ? [target] : []), ...args].map((arg) => boundOf(arg, scope));
  const below = sum(bounds.map(({ steps }) => steps));
  const [left = small, right = small, last = small] = bounds;
  const nodes = args.map((arg) => scope.parts.node(arg));
  switch (name) {
    case "_&&_":
    case "_||_":
    case "!_":
    case "-_":
      return { ...small, steps: below };
    case "_?_:_":
      return { steps: below, chars: larger(right.chars, last.chars), items: larger(right.items, last.items) };
    case "_[_]":
      return placeBound(expr, node, below, scope);
    case "@in":
      return { ...small, steps: sum([below, membership(left, right, nodes)]) };
    case "_==_":
    case "_!=_":
      return { ...small, steps: sum([below, comparison(left, right, nodes, charSteps)]) };
    case "_<_":
    case "_<=_":
    case "_>_":
    case "_>=_":
      return { ...small, steps: sum([below, comparison(left, right, nodes, orderSteps)]) };
    case "_+_":
    case "_-_":
    case "_*_":
    case "_/_":
    case "_%_":
      return arithmeticBound(below, left, right, node);
    default:
      return functionBound(name, below, bounds, node);
  }
}

function larger(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}

const fixed = ["bool", "int", "double", "null", "timestamp", "duration", "amount", "type"];

function isFixed(node: Node | undefined): boolean {
  return node !== undefined && fixed.includes(node.type);
}

/** Comparing goes as far as the shorter side. */
function comparison(
  left: Bound,
  right: Bound,
  nodes: readonly (Node | undefined)[],
  stepsOf: (chars: number) => number,
): number | undefined {
  if (nodes.some(isFixed)) return 0;
  const chars = Math.min(left.chars ?? Number.POSITIVE_INFINITY, right.chars ?? Number.POSITIVE_INFINITY);
  if (nodes.some((node) => node?.type === "string")) return Number.isFinite(chars) ? stepsOf(chars) : undefined;
  const constant = nodes.find((node) => node?.constant)?.constant;
  return constant === undefined ? undefined : 8 * JSON.stringify(constant.value, plainInts).length;
}

function plainInts(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

function membership(item: Bound, list: Bound, [one, all]: readonly (Node | undefined)[]): number | undefined {
  if (all?.type === "map") return 1;
  const each = isFixed(one)
    ? 1
    : Math.min(item.chars ?? Number.POSITIVE_INFINITY, list.chars ?? Number.POSITIVE_INFINITY);
  return list.items === undefined || !Number.isFinite(each) ? undefined : list.items * (1 + charSteps(each));
}

function arithmeticBound(below: number | undefined, left: Bound, right: Bound, node: Node | undefined): Bound {
  if (isFixed(node)) return { ...small, steps: below };
  const chars = sum([left.chars, right.chars]);
  const items = sum([left.items, right.items]);
  if (node?.type === "string") return { steps: sum([below, chars && charSteps(chars)]), chars, items: 0 };
  return { steps: sum([below, items]), chars: undefined, items };
}

/** Every function takes a few steps a character or an element at most; searching a long part for another takes more. */
function functionBound(
  name: string,
  below: number | undefined,
  bounds: readonly Bound[],
  node: Node | undefined,
): Bound {
  if (["present", "has", "type", "dyn"].includes(name)) return { ...small, steps: below };
  const chars = sum(bounds.map((bound) => bound.chars));
  const items = sum(bounds.map((bound) => bound.items));
  if (name === "matches") {
    const [text] = bounds;
    const search = node?.search;
    return { ...small, steps: sum([below, text?.chars === undefined || !search ? undefined : search(text.chars)]) };
  }
  if (name === "size") return { ...small, steps: sum([below, sizeSteps(bounds[0])]) };
  const [of = small, part = small] = bounds;
  // These look at no more of a text than the part that they look for is long.
  if (name === "startsWith" || name === "endsWith") {
    return { ...small, steps: sum([below, part.chars === undefined ? undefined : charSteps(part.chars)]) };
  }
  const long = (part.chars ?? 0) > (name === "split" ? shortPartMax : partCharsMax);
  if (name === "contains" && of.chars !== undefined && part.chars !== undefined) {
    return { ...small, steps: sum([below, searchSteps(of.chars, Math.ceil(part.chars))]) };
  }
  const zone = name.startsWith("get") || name === "weekday" || name === "hours" ? zoneSteps : 0;
  const steps = sum([below, chars === undefined || long ? undefined : 40 + 4 * chars + zone, items && 4 * items]);
  return { steps, chars, items: node?.type === "list" ? chars : 0 };
}

function sizeSteps(of: Bound | undefined): number | undefined {
  if (of?.chars === undefined && of?.items === undefined) return undefined;
  return 4 + (of.chars ?? 0) + 3 * (of.items ?? 0);
}

/** Each element costs the body; what all elements hold together is one input, whichever the list. */
function macroBound(expr: Expr, scope: Scope): Bound {
  const macro = expr.exprKind.case === "comprehensionExpr" ? expr.exprKind.value : undefined;
  const { iterRange, loopStep, iterVar = "" } = macro ?? {};
  if (!iterRange || !loopStep) return small;
  const range = boundOf(iterRange, scope);
  const outer = scope.locals.get(rootOf(iterRange))?.times ?? 1;
  const { items } = range;
  if (items === undefined) return { steps: undefined, chars: undefined, items: undefined };
  const local: Local = { times: Math.max(1, outer * items) };
  const inner: Scope = { ...scope, locals: new Map(scope.locals).set(iterVar, local) };
  const bodies = bodiesOf(loopStep);
  const each = sum(bodies.flatMap((body) => [scope.parts.node(body)?.size ?? 1, boundOf(body, inner).steps]));
  const steps = sum([range.steps, 3 * items, each === undefined ? undefined : items * (each + 1)]);
  return { steps, chars: undefined, items };
}

/** The parts of a macro that its author wrote: arguments of the step that the parser made. */
function bodiesOf(step: Expr): readonly Expr[] {
  const call = step.exprKind.case === "callExpr" ? step.exprKind.value : undefined;
  const [first, second] = call?.args ?? [];
  if (call?.function === "_?_:_") return [...(first ? [first] : []), ...(second ? bodiesOf(second) : [])];
  if (call?.function === "_+_") return second?.exprKind.case === "listExpr" ? second.exprKind.value.elements : [];
  return second ? [second] : [];
}
