import { describe, expect, it } from "vitest";
import { compileTexts, policyText, sampleFacts, toolText } from "../../test/sample.ts";
import { evaluate, explain } from "../index.ts";

const any = { tools: ["*"] };
const compiled = compileTexts(
  toolText("pay"),
  policyText(
    [
      { id: "plain", match: any, effect: "allow" },
      { id: "large", match: any, effect: "deny", when: ["input.amount > 5", "input.amount < 100"] },
      { id: "excepted", match: any, effect: "deny", unless: "vars.small" },
      { id: "unsure", match: any, effect: "allow", when: "input.missing" },
      { id: "cap", match: any, effect: "transform", when: "input.amount > 50", set: { amount: 1 } },
      { id: "elsewhere", match: { tools: ["mail*"] }, effect: "deny" },
    ],
    { variables: { small: "input.amount < 5" } },
  ),
  policyText([{ id: "watch", match: any, effect: "deny" }], { mode: "observe" }, "watch"),
);

describe("an explanation", () => {
  const told = (amount: number) => {
    const { considered } = explain(compiled, sampleFacts({ input: { amount } }));
    return considered.map(({ rule, result, why }) => `${rule.rule} ${result}: ${why}`);
  };

  it("names every rule that was considered, what came out and what decided", () => {
    expect(told(2)).toEqual([
      "cap false: when is false: input.amount > 50",
      "plain true: it has no conditions",
      "large false: when is false: input.amount > 5",
      "excepted false: unless is true: vars.small",
      "unsure unknown: input.missing is missing",
      "watch true: it has no conditions",
    ]);
  });

  it("judges the others on the input that the transforms made", () => {
    expect(told(60).slice(0, 3)).toEqual([
      "cap true: when is true: input.amount > 50",
      "plain true: it has no conditions",
      "large false: when is false: input.amount > 5",
    ]);
    expect(told(10)).toContain("large true: when is true: input.amount > 5 && input.amount < 100");
    expect(told(10)).toContain("excepted true: unless is false: vars.small");
  });

  it("comes with the verdict that evaluating gives, and marks observed rules", () => {
    const facts = sampleFacts({ input: { amount: 2 } });
    const { verdict, considered } = explain(compiled, facts);
    expect(verdict).toEqual(evaluate(compiled, facts));
    expect(considered.filter(({ mode }) => mode === "observe").map(({ rule }) => rule.rule)).toEqual(["watch"]);
  });
});
