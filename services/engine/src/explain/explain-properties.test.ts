import fc from "fast-check";
import { expect, test } from "vitest";
import { outcomeOf } from "../../test/conditions.ts";
import { compileTexts, policyText, sampleFacts, toolText } from "../../test/sample.ts";
import { Failure } from "../cel/value.ts";
import { evaluate, explain, type JsonObject } from "../index.ts";
import { shownValue } from "./shown-value.ts";

const variables = { large: "input.n > 3", twice: "input.n * 2", both: 'vars.large && input.s == "a"' };
const number = fc.constantFrom(
  "input.n",
  "input.o.n",
  "input.n + 1",
  "vars.twice",
  "2",
  "size(input.l)",
  "session.depth",
);
const atom = fc.oneof(
  fc.tuple(number, fc.constantFrom("<", ">=", "==", "!="), number).map((sides) => sides.join(" ")),
  fc.constantFrom("vars.large", "vars.both", "input.f", "present(input.o.n)", "has(input.o.n)", 'input.s == "a"'),
  fc.constantFrom(
    'input.s in ["a", "b"]',
    "input.l.exists(x, x > 1)",
    "input.l.all(x, x > 0 && x < 3)",
    "input.s.startsWith(input.t)",
  ),
);
const condition = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    atom,
    fc.tuple(tie("node"), fc.constantFrom("&&", "||"), tie("node")).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
    tie("node").map((node) => `!(${node})`),
    fc.tuple(tie("node"), tie("node"), tie("node")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
})).node;
const short = fc.integer({ min: 0, max: 5 });
const input = fc.record(
  {
    ...{ n: short, o: fc.record({ n: short }, { requiredKeys: [] }), f: fc.boolean() },
    ...{ s: fc.constantFrom("a", "b", "ab"), t: fc.constantFrom("a", ""), l: fc.array(short, { maxLength: 3 }) },
  },
  { requiredKeys: ["s"] },
) as fc.Arbitrary<JsonObject>;

/** The value of a text by itself, as parts show it; undefined if it has names that only its macro binds. */
function alone(text: string, facts: { input: JsonObject }): string | undefined {
  if (/\bx\b/.test(text.replace(/\.(exists|all)\(x, .*\)/, ""))) return undefined;
  const outcome = outcomeOf(text, facts, variables);
  return outcome instanceof Failure ? `unknown: ${outcome.why}` : shownValue(outcome);
}

test("an explanation says what evaluating says, and every part of it has the value that it has by itself", () => {
  fc.assert(
    fc.property(condition, condition, input, fc.constantFrom("allow", "deny"), (when, unless, given, effect) => {
      const rule = { id: "r", match: { tools: ["*"] }, effect, when, unless };
      const compiled = compileTexts(toolText("pay"), policyText([rule], { variables }));
      const facts = sampleFacts({ input: given });
      const { verdict, considered } = explain(compiled, facts);
      expect(verdict).toEqual(evaluate(compiled, facts));
      const [{ result, conditions } = { result: "", conditions: [] }] = considered;
      const [first, second] = conditions.map(({ outcome }) => outcome);
      const neither = first === "unknown" || second === "unknown" ? "unknown" : "true";
      expect(result).toBe(first === "false" || second === "true" ? "false" : neither);
      for (const part of conditions.flatMap(({ parts }) => parts)) {
        if (part.outcome === "notNeeded" || part.text.endsWith("…")) continue;
        const shown = alone(part.text, { input: given });
        if (shown !== undefined) expect(part.outcome === "unknown" ? `unknown: ${part.why}` : part.value).toBe(shown);
      }
    }),
    { numRuns: 300 },
  );
});
