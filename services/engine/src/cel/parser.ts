import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { expandMacro } from "./expand-macro.ts";
import { type ExprBuilder, exprBuilder } from "./expr-builder.ts";
import { afterSpace, literalAt, SyntaxFault, wordAt } from "./scan.ts";

export interface Parsed {
  readonly expr: Expr;
  /** Where a part begins, in UTF-16 units. */
  readonly offsetOf: (expr: Expr) => number;
  /** The call that a macro is written as, by the id of what it stands for. */
  readonly macroOf: (expr: Expr) => Expr | undefined;
}

/** Parentheses, lists, calls and branches in each other: the parser recurses on them. */
const nestingMax = 250;

/**
 * Parses a text by CEL's grammar (the language definition of the Common Expression Language, "Syntax"), in time linear in
 * the text: every character is looked at a bounded number of times. Macros are expanded.
 *
 * @throws SyntaxFault, or RangeError for a text that is nested too deeply
 */
export function parseCel(text: string): Parsed {
  const build = exprBuilder();
  const macros = new Map<bigint, Expr>();
  const reader: Reader = { text, at: afterSpace(text, 0), build, macros, nesting: 0 };
  const expr = expression(reader);
  if (reader.at < text.length) throw new SyntaxFault(reader.at);
  return { expr, offsetOf: build.offsetOf, macroOf: ({ id }) => macros.get(id) };
}

interface Reader {
  readonly text: string;
  /** Where the next token begins. */
  at: number;
  readonly build: ExprBuilder;
  readonly macros: Map<bigint, Expr>;
  nesting: number;
}

function take(reader: Reader, sign: string): boolean {
  if (!reader.text.startsWith(sign, reader.at)) return false;
  reader.at = afterSpace(reader.text, reader.at + sign.length);
  return true;
}

function want(reader: Reader, sign: string): void {
  if (!take(reader, sign)) throw new SyntaxFault(reader.at);
}

function expression(reader: Reader): Expr {
  if (++reader.nesting > nestingMax) throw new RangeError("nested too deeply");
  const offset = reader.at;
  const condition = chain(reader, "||", (inner) => chain(inner, "&&", relation));
  let expr = condition;
  if (take(reader, "?")) {
    const then = chain(reader, "||", (inner) => chain(inner, "&&", relation));
    want(reader, ":");
    expr = reader.build.call(offset, "_?_:_", [condition, then, expression(reader)]);
  }
  reader.nesting--;
  return expr;
}

/** Terms that one operator joins, as a tree of little depth. */
function chain(reader: Reader, sign: "||" | "&&", term: (reader: Reader) => Expr): Expr {
  const offset = reader.at;
  const terms = [term(reader)];
  while (take(reader, sign)) terms.push(term(reader));
  const balanced = (low: number, high: number): Expr => {
    const [only] = terms.slice(low, low + 1);
    if (low === high && only) return only;
    const middle = Math.floor((low + high) / 2);
    return reader.build.call(offset, `_${sign}_`, [balanced(low, middle), balanced(middle + 1, high)]);
  };
  return balanced(0, terms.length - 1);
}

const relations = ["<=", "<", ">=", ">", "==", "!="];

function relation(reader: Reader): Expr {
  let left = joined(reader, "+-", product);
  for (;;) {
    const offset = reader.at;
    if (!"<>=!i".includes(reader.text[offset] ?? "$")) return left;
    const sign = relations.find((one) => take(reader, one));
    if (sign === undefined && wordAt(reader.text, offset) !== "in") return left;
    if (sign === undefined) take(reader, "in");
    const right = joined(reader, "+-", product);
    left = reader.build.call(offset, sign === undefined ? "@in" : `_${sign}_`, [left, right]);
  }
}

function product(reader: Reader): Expr {
  return joined(reader, "*/%", unary);
}

function joined(reader: Reader, signs: string, operand: (reader: Reader) => Expr): Expr {
  let left = operand(reader);
  for (;;) {
    const offset = reader.at;
    const sign = reader.text[offset] ?? "";
    if (sign === "" || !signs.includes(sign)) return left;
    take(reader, sign);
    left = reader.build.call(offset, `_${sign}_`, [left, operand(reader)]);
  }
}

function unary(reader: Reader): Expr {
  const offset = reader.at;
  const sign = reader.text[offset];
  if (sign !== "!" && (sign !== "-" || literalAt(reader.text, offset))) return member(reader);
  let count = 0;
  while (reader.text[offset + count] === sign) count++;
  reader.at = afterSpace(reader.text, offset + count);
  const expr = member(reader);
  if (count % 2 === 0) return expr;
  const { exprKind: kind } = expr;
  // Twice is not at all.
  if (kind.case === "callExpr" && kind.value.function === `${sign}_` && kind.value.args[0]) return kind.value.args[0];
  return reader.build.call(offset, `${sign}_`, [expr]);
}

const notFields = ["true", "false", "null", "in"];

function member(reader: Reader): Expr {
  const { build, text } = reader;
  let expr = primary(reader);
  for (;;) {
    const offset = reader.at;
    if (take(reader, "[")) {
      const index = expression(reader);
      want(reader, "]");
      expr = build.call(offset, "_[_]", [expr, index]);
    } else if (take(reader, ".")) {
      const name = wordAt(text, reader.at);
      if (name === "") throw new SyntaxFault(reader.at);
      if (notFields.includes(name)) throw new SyntaxFault(reader.at, "reserved keyword");
      take(reader, name);
      const args = argumentsOf(reader);
      if (!args) expr = build.select(offset, expr, name);
      else {
        const call: Expr = build.call(offset, name, args, expr);
        const expanded = expandMacro(build, { offset, name, target: expr, args });
        if (expanded) reader.macros.set(expanded.id, call);
        expr = expanded ?? call;
      }
    } else return expr;
  }
}

/** What stands in the parentheses of a call; undefined where there are none. */
function argumentsOf(reader: Reader): Expr[] | undefined {
  if (!take(reader, "(")) return undefined;
  const args: Expr[] = [];
  if (take(reader, ")")) return args;
  do args.push(expression(reader));
  while (take(reader, ","));
  want(reader, ")");
  return args;
}

function primary(reader: Reader): Expr {
  const { build, text, at: offset } = reader;
  const literal = literalAt(text, offset);
  if (literal) {
    reader.at = afterSpace(text, literal.end);
    return build.constant(offset, { case: literal.case, value: literal.value } as Parameters<typeof build.constant>[1]);
  }
  if (take(reader, "(")) {
    const inner = expression(reader);
    want(reader, ")");
    return inner;
  }
  if (take(reader, "[")) return listOf(reader, offset);
  if (take(reader, "{"))
    return build.map(
      offset,
      "",
      entriesOf(reader, () => expression(reader)),
    );
  return named(reader);
}

function listOf(reader: Reader, offset: number): Expr {
  const elements: Expr[] = [];
  while (!take(reader, "]")) {
    elements.push(expression(reader));
    if (take(reader, ",")) continue;
    want(reader, "]");
    break;
  }
  return reader.build.list(offset, elements);
}

function entriesOf<Key extends Expr | string>(reader: Reader, key: () => Key) {
  const entries: { readonly key: Key; readonly value: Expr }[] = [];
  while (!take(reader, "}")) {
    const name = key();
    want(reader, ":");
    entries.push({ key: name, value: expression(reader) });
    if (take(reader, ",")) continue;
    want(reader, "}");
    break;
  }
  return entries;
}

const reserved = new Set(
  "as break const continue else for function if import in let loop package namespace return var void while".split(" "),
);

/** A name, a call of a function, or a message: `name.of.it{field: value}`. */
function named(reader: Reader): Expr {
  const { build, text, at: offset } = reader;
  take(reader, ".");
  const name = wordAt(text, reader.at);
  if (name === "") throw new SyntaxFault(reader.at);
  const isLiteral = name === "true" || name === "false" || name === "null";
  if (reserved.has(name) || (isLiteral && reader.at > offset)) throw new SyntaxFault(reader.at, "reserved identifier");
  take(reader, name);
  if (name === "null") return build.constant(offset, { case: "nullValue", value: 0 });
  if (isLiteral) return build.constant(offset, { case: "boolValue", value: name === "true" });
  const message = messageAt(reader, name);
  if (message !== undefined) {
    const field = () => {
      const key = wordAt(text, reader.at);
      if (key === "") throw new SyntaxFault(reader.at);
      take(reader, key);
      return key;
    };
    return build.map(offset, message, entriesOf(reader, field));
  }
  const args = argumentsOf(reader);
  if (!args) return build.name(offset, name);
  const [only] = args;
  if (name === "has" && args.length === 1 && only?.exprKind.case === "selectExpr" && only.exprKind.value.operand) {
    const test = build.select(offset, only.exprKind.value.operand, only.exprKind.value.field, true);
    reader.macros.set(test.id, build.call(offset, name, args));
    return test;
  }
  return build.call(offset, name, args);
}

const messageWordsMax = 20;

/** The name of a message that begins with a word that was taken, if it is one; then its brace is taken too. */
function messageAt(reader: Reader, first: string): string | undefined {
  const before = reader.at;
  let name = first;
  for (let words = 0; words < messageWordsMax; words++) {
    if (take(reader, "{")) return name;
    const next = take(reader, ".") ? wordAt(reader.text, reader.at) : "";
    if (next === "") break;
    take(reader, next);
    name += `.${next}`;
  }
  reader.at = before;
  return undefined;
}
