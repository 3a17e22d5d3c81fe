import type { Expr, Expr_Comprehension } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import type { Run } from "./frame.ts";
import { collect, existsOne, quantify } from "./macro.ts";
import { accepts, type Compiling, type Node, reject } from "./node.ts";
import { type Place, placed, settled, withInts } from "./place.ts";
import { itemPlace } from "./property.ts";
import { costFailure } from "./value.ts";

type CompileExpr = (expr: Expr, compiling: Compiling) => Node;

/** Macros inside macros multiply their cost, so two is the most. */
const nestingMax = 2;

/** Made apart from what compiles it, which it would keep in memory. */
function boundAt(slot: number): Run {
  return ({ locals }) => {
    const bound = locals[slot];
    return bound === undefined ? costFailure : bound;
  };
}

/**
 * Compiles what the parser expanded a macro to. The shape of the expansion says which macro it was; no author can write
 * the expansion, because its accumulator has a name that does not parse.
 */
export function compileMacro(expr: Expr, macro: Expr_Comprehension, compiling: Compiling, compile: CompileExpr): Node {
  const { iterRange, loopStep } = macro;
  if (!iterRange || !loopStep || macro.iterVar2 !== "") return reject(compiling, expr, "a macro that is not supported");
  if (compiling.macros >= nestingMax) {
    return reject(compiling, expr, `macros nested deeper than ${nestingMax}`, {
      expected: "a variable for the inner part, or a rule for each case",
    });
  }
  const range = compile(iterRange, compiling);
  accepts(compiling, iterRange, range, "what a macro runs over", ["list", "map"]);
  const slot = compiling.variables.newLocal();
  const read = boundAt(slot);
  const place = itemPlace(range, compiling);
  const local: Node = place
    ? placed(read, 1, macro.iterVar, place)
    : { run: converted(read, range.place), type: range.items ?? "dyn", size: 1, path: macro.iterVar };
  const locals = new Map(compiling.locals).set(macro.iterVar, local);
  const inner: Compiling = { ...compiling, locals, macros: compiling.macros + 1 };
  const body = (part: Expr | undefined, bool: boolean): Node => {
    if (!part) return reject(compiling, expr, "a macro that is not supported");
    const node = compile(part, inner);
    if (bool) accepts(compiling, part, node, "a macro's condition", ["bool"]);
    return node;
  };
  const step = loopStep.exprKind.case === "callExpr" ? loopStep.exprKind.value : undefined;
  const size = range.size + 1;
  switch (step?.function) {
    case "_&&_":
      return { run: quantify(range, slot, body(step.args[1], true), false), type: "bool", size };
    case "_||_":
      return { run: quantify(range, slot, body(step.args[1], true), true), type: "bool", size };
    case "_+_": {
      const value = body(appended(loopStep), false);
      return { run: collect(range, slot, undefined, forgotten(value)), type: "list", items: known(value), size };
    }
    case "_?_:_": {
      const condition = body(step.args[0], true);
      const item = appended(step.args[1]);
      if (!item) return { run: existsOne(range, slot, condition), type: "bool", size };
      const value = body(item, false);
      if (value !== local) {
        return { run: collect(range, slot, condition, forgotten(value)), type: "list", items: known(value), size };
      }
      // What `filter` leaves stands where it stood.
      const kept = place && range.place;
      const run = collect(range, slot, condition, kept ? { ...local, run: read } : local);
      return { run, type: "list", items: known(local), size, ...(kept && { place: kept }) };
    }
    default:
      return reject(compiling, expr, "a macro that is not supported");
  }
}

/** An item of what may be a list or a map, with its ints. */
function converted(read: Run, place: Place | undefined): Run {
  if (!place?.shape.ints) return read;
  return (frame) => withInts(read(frame), place.at(frame)?.item(), frame);
}

function known({ type }: Node): Node["items"] {
  return type === "dyn" ? undefined : type;
}

/** A value that goes into a new list, away from its place. */
function forgotten(node: Node): Node {
  return { ...node, run: settled(node) };
}

/** `item` of `accumulator + [item]`. */
function appended(expr: Expr | undefined): Expr | undefined {
  const call = expr?.exprKind.case === "callExpr" ? expr.exprKind.value : undefined;
  const list = call?.args[1]?.exprKind;
  return list?.case === "listExpr" ? list.value.elements[0] : undefined;
}
