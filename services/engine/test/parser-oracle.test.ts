import { parse } from "@bufbuild/cel";
import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCel } from "../src/cel/parser.ts";
import { afterSpace } from "../src/cel/scan.ts";

type OffsetOf = (expr: Expr) => number;

/** A tree as text, each part with where it stands. */
function shown(expr: Expr | undefined, at: OffsetOf): string {
  if (!expr) return "nothing";
  const { exprKind: kind } = expr;
  const inner = (part: Expr | undefined) => shown(part, at);
  const told = () => {
    switch (kind.case) {
      case "constExpr": {
        const { constantKind } = kind.value;
        // Nothing here asks for the bytes of bytes.
        return constantKind.case === "bytesValue" ? "bytes" : `${constantKind.case} ${String(constantKind.value)}`;
      }
      case "identExpr":
        return kind.value.name;
      case "selectExpr":
        return `${inner(kind.value.operand)}.${kind.value.field}${kind.value.testOnly}`;
      case "callExpr":
        return `${kind.value.function}(${inner(kind.value.target)}; ${kind.value.args.map(inner).join()})`;
      case "listExpr":
        return `[${kind.value.elements.map(inner).join()}]`;
      case "structExpr":
        return `${kind.value.messageName}{${kind.value.entries
          .map(({ keyKind, value }) => {
            const key = keyKind.case === "mapKey" ? inner(keyKind.value) : keyKind.value;
            return `${key}: ${inner(value)}`;
          })
          .join()}}`;
      case "comprehensionExpr": {
        const { iterVar, iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
        return `for ${iterVar} ${[iterRange, accuInit, loopCondition, loopStep, result].map(inner).join()}`;
      }
      default:
        return "?";
    }
  };
  return `${told()}@${at(expr)}`;
}

function byLibrary(text: string): string {
  const { expr, sourceInfo } = parse(text);
  return shown(expr, ({ id }) => afterSpace(text, sourceInfo?.positions[String(id)] ?? 0));
}

function byUs(text: string): string {
  const { expr, offsetOf } = parseCel(text);
  return shown(expr, offsetOf);
}

const gap = fc.constantFrom("", "", "", " ", "\n\t", "  ", " // said\n ");
const literal = fc.constantFrom(
  ...["1", "-1", "0x1F", "-0x1f", "7u", "1.5", "-.5", "1e3", "2.5E-3", "true", "false", "null"],
  ...['"a"', "'a'", "r'\\d'", '"""a\n"b"""', "'''x'''", "b'a'", "'\\d\\x41\\u0042\\101\\n\\\\'", '"\\U0001F600"', "''"],
);
const name = fc.constantFrom("a", "b", "input", "nulls", "_x", "trueish", "in_", "has", "has2", "all", "map");
const field = fc.constantFrom("a", "b", "if", "size", "exists");

const { text } = fc.letrec<Record<"text" | "member", string>>((tie) => {
  const join = (...parts: (fc.Arbitrary<string> | string)[]) => {
    const each = parts.flatMap((part) => [typeof part === "string" ? fc.constant(part) : part, gap]);
    return fc.tuple(...each).map((all) => all.join(""));
  };
  const args = fc.array(tie("text"), { minLength: 1, maxLength: 3 }).map((all) => all.join(", "));
  const macro = fc.constantFrom("all", "exists", "exists_one", "existsOne", "map", "filter");
  const operator = fc.constantFrom("+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", " in ", "&&", "||");
  return {
    member: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(literal, name),
      join(tie("member"), ".", field),
      join(
        tie("member"),
        ".",
        fc.tuple(field, args).map(([one, all]) => `${one}(${all})`),
      ),
      join(
        tie("member"),
        ".",
        fc.tuple(macro, tie("text")).map(([one, body]) => `${one}(x, ${body})`),
      ),
      join(
        tie("member"),
        ".",
        fc.tuple(tie("text"), tie("text")).map(([one, other]) => `map(x, ${one}, ${other})`),
      ),
      join(tie("member"), "[", tie("text"), "]"),
      join("(", tie("text"), ")"),
      join("[", args, "]"),
      fc.constantFrom("[]", "{}", "[1,]", "a.b{c: 1}", "has(a.b)", "has(has(a.b))", ".a", ".f(1)"),
      join("{", tie("text"), ":", tie("text"), "}"),
      fc.tuple(name, args).map(([one, all]) => `${one}(${all})`),
    ),
    text: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      tie("member"),
      join(fc.constantFrom("!", "-", "!!", "--", "!!!", "- ", "! "), tie("member")),
      join(tie("member"), operator, tie("text")),
      join(tie("text"), fc.constantFrom("&&", "||"), tie("text")),
      join(tie("member"), "?", tie("member"), ":", tie("text")),
    ),
  };
});

describe("parsing a condition", () => {
  it("makes of a text what the library makes that is made for that", () => {
    let parsed = 0;
    fc.assert(
      fc.property(text, (written) => {
        let expected: string;
        try {
          expected = byLibrary(written);
        } catch {
          return;
        }
        parsed++;
        expect(byUs(written)).toBe(expected);
      }),
      { numRuns: 1500, seed: 3 },
    );
    expect(parsed).toBeGreaterThan(500);
  });
});
