import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { nearestName } from "../documents/nearest.ts";
import { jsonTypes, type Shape } from "../typing/shape.ts";
import { type Compiling, type Node, reject, type StaticType, typeWords, warn } from "./node.ts";
import { typesOf } from "./place.ts";
import { propertyPlace } from "./property.ts";
import type { Value } from "./value.ts";

const isNumeric = (type: StaticType) => type === "int" || type === "double";

/** Types that can never be compared: both sides are known and none of one is among the other's, ints and doubles aside. */
export function clash(left: Node, right: Node): boolean {
  const others = typesOf(right);
  return !typesOf(left).some((type) =>
    others.some(
      (other) => type === "dyn" || other === "dyn" || type === other || (isNumeric(type) && isNumeric(other)),
    ),
  );
}

/** What is added, subtracted and multiplied besides numbers. */
const sums: Readonly<Record<string, readonly string[]>> = {
  "+": ["string string", "list list", "timestamp duration", "duration timestamp", "duration duration", "amount amount"],
  "-": ["timestamp timestamp", "timestamp duration", "duration duration", "amount amount"],
  // By a double too: whether it is whole is seen in the call.
  "*": ["amount int", "int amount", "amount double", "double amount"],
};

/** Whether an arithmetic sign can stand between two values of the types that they may have. */
export function addable(sign: string, left: Node, right: Node): boolean {
  const others = typesOf(right);
  return typesOf(left).some((type) =>
    others.some(
      (other) =>
        type === "dyn" ||
        other === "dyn" ||
        (isNumeric(type) && isNumeric(other)) ||
        sums[sign]?.includes(`${type} ${other}`),
    ),
  );
}

export function rejectClash(expr: Expr, sign: string, left: Node, right: Node, compiling: Compiling): Node {
  const sides = `${typeWords(typesOf(left))} and ${typeWords(typesOf(right))}`;
  return reject(compiling, expr, `\`${sign}\` between ${sides}`, { expected: "values of one type" });
}

/** Notes a literal that can never be the value that it is compared with: by what the schemas list, or by the function. */
export function comparable(side: Node, literal: Node, expr: Expr, compiling: Compiling): void {
  if (literal.constant) warnNever(side, literal.constant.value, expr, compiling);
  if (side.place && literal.constant) checkListed(side.path, side.place.shape, literal.constant.value, expr, compiling);
}

/** A host is never `API.acme.com`, nor a day of the week 0 where Monday is 1: a deny that waits for it denies nothing. */
function warnNever({ never }: Node, literal: Value, expr: Expr, compiling: Compiling): void {
  // Beside its tools a text is compiled again, and this was said.
  const problem = compiling.types ? undefined : never?.(literal);
  if (!problem) return;
  const offset = compiling.offsetOf(expr);
  compiling.problems.push({ offset, ...problem, code: "type_contradicted", severity: "warning" });
}

function checkListed(
  path: string | undefined,
  { values }: Shape,
  literal: Value,
  expr: Expr,
  compiling: Compiling,
): void {
  const known = typeof literal === "bigint" ? Number(literal) : literal;
  if (!values || typeof known === "object" || values.some((value) => value === known)) return;
  const texts = values.map((value) => JSON.stringify(value));
  const shown = JSON.stringify(known);
  compiling.problems.push({
    offset: compiling.offsetOf(expr),
    code: "type_contradicted",
    message: `\`${path ?? "it"}\` is never ${shown}`,
    expected: texts.length > 20 ? `${texts.slice(0, 20).join(", ")} and ${texts.length - 20} more` : texts.join(", "),
    nearest: nearestName(shown, texts),
  });
}

/** Notes what can never be a member: an item of a written list, a literal in a list of others, a key that no map has. */
export function checkMembers(item: Node, container: Node, list: Expr, compiling: Compiling, expr: Expr): void {
  const written = list.exprKind.case === "listExpr" ? list.exprKind.value.elements : undefined;
  const constants = container.constant?.value;
  if (written && Array.isArray(constants)) {
    for (const [at, element] of written.entries()) checkMember(item, constants[at] ?? null, element, compiling);
    return;
  }
  const { place } = container;
  if (!place || !item.constant) return;
  const { value } = item.constant;
  if (typeof value === "string" && place.shape.types === jsonTypes.map) {
    propertyPlace(container, value, compiling, compiling.offsetOf(expr));
  }
  const members = place.shape.types === jsonTypes.list ? place.shape.item() : undefined;
  if (members) {
    const one = { run: item.run, type: "dyn" as const, size: 1, place: { ...place, shape: members } };
    if (clash(one, item)) rejectClash(expr, "in", item, one, compiling);
    else checkListed(`${container.path ?? "a list"}[*]`, members, value, expr, compiling);
  }
}

function checkMember(item: Node, constant: Value, expr: Expr, compiling: Compiling): void {
  warnNever(item, constant, expr, compiling);
  if (!item.place) return;
  const type = literalType(constant);
  if (type === undefined) return;
  const literal: Node = { run: () => constant, type, size: 1, constant: { value: constant } };
  if (clash(item, literal)) rejectClash(expr, "in", item, literal, compiling);
  else comparable(item, literal, expr, compiling);
}

function literalType(value: Value): StaticType | undefined {
  if (value === null) return "null";
  const types: Readonly<Record<string, StaticType>> = {
    boolean: "bool",
    bigint: "int",
    number: "double",
    string: "string",
  };
  return types[typeof value];
}

/** Warns of a division of ints, which drops the remainder, unless `int(…)` says that this is meant. */
export function divides(
  expr: Expr,
  args: readonly Expr[],
  [left, right]: readonly [Node, Node],
  compiling: Compiling,
): void {
  const ints = [left, right].every((node) => typesOf(node).includes("int"));
  if (!ints || (left.constant && right.constant) || args.some(isIntCall)) return;
  const [over, under] = [left, right].map(({ path, constant }) => path ?? (constant ? String(constant.value) : "…"));
  warn(
    compiling,
    expr,
    "division_truncates",
    "a division of ints drops the remainder",
    `double(${over}) / ${under}, or int(${over}) / ${under} if that is meant`,
  );
}

function isIntCall({ exprKind: kind }: Expr): boolean {
  return kind.case === "callExpr" && kind.value.function === "int" && !kind.value.target;
}
