import { describe, expect, it } from "vitest";
import { compileTexts, policyText, sampleFacts, toolText } from "../../test/sample.ts";
import { evaluate, explain, explainInSlices } from "../index.ts";
import { combinedLine } from "./explanation-text.ts";

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

const transforms = ({ effect }: { readonly effect: string }) => effect === "transform";

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

  it("counts the rules that were not considered, and why", () => {
    const finance = { appliesTo: { agents: { matchLabels: { team: "sales" } } } };
    const more = compileTexts(
      toolText("pay", { inputSchema: { type: "object", properties: { amount: { type: "number" } } } }),
      toolText("mail"),
      policyText([
        { id: "one", match: any, effect: "allow" },
        { id: "two", match: { tools: ["mail"] }, effect: "deny" },
      ]),
      policyText([{ id: "three", match: any, effect: "deny" }], finance, "sales"),
    );
    const skipped = (facts: Parameters<typeof sampleFacts>[0]) => explain(more, sampleFacts(facts)).skipped;
    expect(skipped({})).toEqual({ otherAgents: 1, otherTools: 1, notReached: 0 });
    expect(skipped({ agent: { labels: { team: "sales" } } })).toEqual({ otherAgents: 0, otherTools: 1, notReached: 0 });
    expect(skipped({ input: { amount: "x" } })).toEqual({ otherAgents: 1, otherTools: 1, notReached: 1 });
    expect(skipped({ tool: "other" })).toEqual({ otherAgents: 0, otherTools: 0, notReached: 3 });
  });

  it("tells how far a call came before the rules", () => {
    const checks = (facts: Parameters<typeof sampleFacts>[0]) =>
      explain(compiled, sampleFacts(facts)).checks.map(({ name, outcome }) => `${name} ${outcome}`);
    expect(checks({})).toEqual([
      ...["registered passed", "active passed", "schema none", "input none", "context none", "estimate none"],
      "scope passed",
    ]);
    expect(checks({ scopes: [{ tools: ["mail"] }] }).at(-1)).toBe("scope refused");
    expect(checks({ tool: "other" }).slice(0, 2)).toEqual(["registered refused", "active notReached"]);
  });

  it("says in one line how the rules combine", () => {
    const line = (amount: number) => combinedLine(explain(compiled, sampleFacts({ input: { amount } })));
    expect(line(10)).toBe("deny by p/large, p/excepted; allow by p/plain → deny (rule_denied)");
    expect(line(2)).toBe("allow by p/plain → allow (rule_allowed)");
  });

  it("is the same in slices, with pauses where there is much to explain", async () => {
    const rules = Array.from({ length: 90 }, (_, at) => ({
      ...{ id: `r${at}`, match: any, effect: "deny", when: `input.amount > ${at}` },
    }));
    const many = compileTexts(toolText("pay"), policyText(rules));
    const facts = sampleFacts({ input: { amount: 10 } });
    let pauses = 0;
    const sliced = await explainInSlices(many, facts, async () => {
      pauses++;
    });
    expect(sliced).toEqual(explain(many, facts));
    expect(pauses).toBeGreaterThan(5);
  });

  it("judges many rules in slices, and says of each what evaluating them in one piece says", async () => {
    const rules = Array.from({ length: 450 }, (_, at) => {
      const rule = { id: `r${at}`, match: any, when: `input.amount > ${at} && input.missing${at % 9} == 1` };
      if (at % 3 === 0) return { ...rule, effect: "transform", when: `input.amount > ${at}`, set: { seen: true } };
      return { ...rule, effect: at % 3 === 1 ? "allow" : "deny" };
    });
    const many = compileTexts(toolText("pay"), policyText(rules), policyText(rules, { mode: "observe" }, "q"));
    for (const amount of [-1, 100, 1000]) {
      const facts = sampleFacts({ input: { amount } });
      const { verdict, considered } = await explainInSlices(many, facts, async () => {});
      expect(verdict).toEqual(evaluate(many, facts));
      const told = considered.filter(({ mode }) => mode === "enforce").map(({ rule }) => rule.rule);
      expect(told).toEqual(
        [...rules.filter(transforms), ...rules.filter((one) => !transforms(one))].map(({ id }) => id),
      );
    }
  });

  it("comes with the verdict that evaluating gives, and marks observed rules", () => {
    const facts = sampleFacts({ input: { amount: 2 } });
    const { verdict, considered } = explain(compiled, facts);
    expect(verdict).toEqual(evaluate(compiled, facts));
    expect(considered.filter(({ mode }) => mode === "observe").map(({ rule }) => rule.rule)).toEqual(["watch"]);
  });
});
