import { type CelInput, isCelError, run } from "@bufbuild/cel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outcomeOf } from "../../test/conditions.ts";
import type { JsonObject } from "../json.ts";
import { Failure, type Outcome } from "./value.ts";

// The library is the reference wherever the declared semantics agree with CEL's: the generator stays with one type an
// operator, because mixed arithmetic and comparison across types are ours.
const input: JsonObject = { d: 2.5, e: -1, s: "héllo", t: "", f: true, l: [1, 2, 3], m: { a: 1, b: "x" }, n: null };

const double: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("input.d", "input.e", "input.m.a", "input.l[0]", "1.5", "-2.0", "input.missing"),
    fc.tuple(tie("node"), fc.constantFrom("+", "-", "*"), tie("node")).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
  ),
})).node;
const int: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(
      "1",
      "0",
      "-3",
      "9223372036854775807",
      "size(input.s)",
      "input.l.size()",
      "size(input.m)",
      "int(input.d)",
    ),
    fc
      .tuple(tie("node"), fc.constantFrom("+", "-", "*", "/", "%"), tie("node"))
      .map(([a, sign, b]) => `(${a} ${sign} ${b})`),
  ),
})).node;
const string: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "input.s",
    "input.t",
    '"hé"',
    "input.m.b",
    "input.missing",
    "input.s + input.t",
    'string(size("abc"))',
  ),
  fc.constantFrom("string(true)", 'input["s"]', "input.nothing.deeper"),
);
const comparison = (side: fc.Arbitrary<string>) =>
  fc.tuple(side, fc.constantFrom("==", "!=", "<", "<=", ">", ">="), side).map((parts) => parts.join(" "));
const bool: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    comparison(double),
    comparison(int),
    comparison(string),
    fc
      .tuple(string, fc.constantFrom("startsWith", "endsWith", "contains"), string)
      .map(([a, name, b]) => `(${a}).${name}(${b})`),
    fc
      .tuple(string, fc.constantFrom('"l+"', '"^h"', '"[[:alpha:]]$"'))
      .map(([a, pattern]) => `(${a}).matches(${pattern})`),
    fc.constantFrom(
      "input.f",
      "has(input.m)",
      "has(input.m.zz)",
      "has(input.nothing.deeper)",
      '"a" in input.m',
      "input.n == null",
    ),
    fc.tuple(double, fc.constantFrom(">", "==")).map(([a, sign]) => `input.l.all(x, x ${sign} ${a})`),
    fc.tuple(double, fc.constantFrom("<", "!=")).map(([a, sign]) => `input.l.exists(x, x ${sign} ${a})`),
    double.map((a) => `input.l.filter(x, x > ${a}).size() == input.l.map(x, x > ${a}, x).size()`),
    double.map((a) => `input.l.exists_one(x, x == ${a})`),
    double.map((a) => `${a} in input.l`),
    fc.tuple(tie("node"), fc.constantFrom("&&", "||"), tie("node")).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
    tie("node").map((node) => `!(${node})`),
    fc.tuple(tie("node"), tie("node"), tie("node")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
})).node;

/** The library's answer: true, false, or that it is an error. */
function reference(text: string): unknown {
  const result = run(text, { input: input as CelInput });
  return isCelError(result) ? "error" : result;
}

function ours(text: string): unknown {
  const outcome: Outcome = outcomeOf(text, { input });
  return outcome instanceof Failure ? "error" : outcome;
}

describe("our evaluator", () => {
  it("answers as the official library does", () => {
    const seen = new Map<unknown, number>();
    fc.assert(
      fc.property(bool, (text) => {
        const expected = reference(text);
        seen.set(expected, (seen.get(expected) ?? 0) + 1);
        expect(ours(text), text).toBe(expected);
      }),
      { numRuns: 1500 },
    );
    for (const answer of [true, false, "error"]) expect(seen.get(answer) ?? 0).toBeGreaterThan(50);
  }, 60_000);

  it.each([
    'timestamp("2026-03-01T23:59:59.5+02:00").getHours()',
    'timestamp("2024-02-29T00:00:00Z").getDayOfYear()',
    'timestamp("2024-02-29T00:00:00Z").getDayOfWeek()',
    'timestamp("2024-02-29T00:00:00Z").getDayOfMonth()',
    'timestamp("2024-02-29T00:00:00Z").getMonth()',
    'timestamp("2024-02-29T12:34:56.789Z").getMilliseconds()',
    'timestamp("2024-02-29T23:00:00Z").getDate("+02:00")',
    'string(timestamp("1969-12-31T23:59:59.256Z"))',
    'string(timestamp("2026-03-01T00:00:00Z") + duration("36h"))',
    'string(timestamp("2026-03-01T00:00:00Z") - timestamp("2026-02-01T00:00:00Z"))',
    'string(duration("1h30m1.502s"))',
    'string(duration("-1.502s"))',
    'duration("100m").getHours()',
    'duration("3661s").getMinutes()',
    'duration("1.234s").getMilliseconds()',
    'int(timestamp("2026-03-01T00:00:00Z"))',
    "int(-2.9)",
    'int("12")',
    'double("1.5")',
    "double(3)",
    'bool("true")',
    "string(1.5)",
    "string(-7)",
    "type(1) == int && type([]) == list && type({}) == map",
    "7 / 2 - 7 % 2",
    "-7 / 2",
    "-7 % 2",
    "9223372036854775807 > 9223372036854775806",
    '{"a": 1, "b": 2} == {"b": 2, "a": 1}',
    "{1: true}[1]",
  ])("%s is what the official library says", (text) => {
    expect(ours(text)).toEqual(reference(text));
  });
});
