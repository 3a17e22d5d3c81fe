import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { type ExpressionTree, expressionTree, operandsOf, pathOf } from "./expression-tree.ts";

/** What of a call is not for readers: the paths that its tool redacts. */
export interface Hidden {
  /** Whether what stands at keys below `input` or `context` is redacted, holds what is, or is part of it. */
  path(root: string, keys: readonly string[]): boolean;
  /** Whether a part of a text is computed from what is redacted. `locals` are names that macros bind to such values. */
  part(tree: ExpressionTree, part: Expr, locals: ReadonlySet<string>): boolean;
}

const everything = "*";

/** Keys do not count places in lists: `*` stands for a member of a map, or for every item of a list. */
function overlap(keys: readonly string[], path: readonly string[]): boolean {
  const [step, ...rest] = path;
  const [key, ...below] = keys;
  if (step === undefined) return true;
  if (step === everything && overlap(keys, rest)) return true;
  if (key === undefined) return true;
  return (step === key || step === everything) && overlap(below, rest);
}

/** The keys of a path that are computed: `input.a` of `input.to[input.a]`. */
function computedKeys({ exprKind: kind }: Expr): Expr[] {
  if (kind.case === "selectExpr") return kind.value.operand ? computedKeys(kind.value.operand) : [];
  if (kind.case !== "callExpr") return [];
  const [container, key] = kind.value.args;
  return [...(container ? computedKeys(container) : []), ...(key ? [key] : [])];
}

const noLocals: ReadonlySet<string> = new Set();

export function hiddenBy(paths: readonly string[], variables: Readonly<Record<string, string>>): Hidden {
  const ways = paths.map((path) => path.split("."));
  const path: Hidden["path"] = (root, keys) => ways.some(([from, ...way]) => from === root && overlap(keys, way));
  const known = new Map<string, boolean>();
  const variable = (name: string): boolean => {
    const before = known.get(name);
    if (before !== undefined) return before;
    // A variable that is asked for while it is looked into does not read itself.
    known.set(name, false);
    const text = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const tree = text === undefined ? undefined : expressionTree(text);
    const hides = tree !== undefined && part(tree, tree.root, noLocals);
    known.set(name, hides);
    return hides;
  };
  const part: Hidden["part"] = (tree, expr, locals) => {
    const named = pathOf(expr);
    const [first] = named?.keys ?? [];
    if (named && locals.has(named.root)) return true;
    if (named?.root === "vars") return first !== undefined && variable(first);
    if (named) return path(named.root, named.keys) || computedKeys(expr).some((key) => part(tree, key, locals));
    const macro = expr.exprKind.case === "comprehensionExpr" ? expr.exprKind.value : undefined;
    if (!macro) return operandsOf(expr, locals).some((operand) => part(tree, operand, locals));
    const { iterRange, iterVar, loopStep } = macro;
    const inRange = iterRange !== undefined && part(tree, iterRange, locals);
    const inner = inRange ? new Set([...locals, iterVar]) : new Set([...locals].filter((name) => name !== iterVar));
    return inRange || (loopStep !== undefined && part(tree, loopStep, inner));
  };
  return ways.length === 0 ? { path: () => false, part: () => false } : { path, part };
}
