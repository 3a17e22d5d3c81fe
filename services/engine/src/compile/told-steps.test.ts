import { describe, expect, it } from "vitest";
import { compileTexts, policyText, sampleFacts, toolText } from "../../test/sample.ts";
import { evaluate, type JsonObject } from "../index.ts";

const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));

/** What a call comes to that rules of one kind match, so many of them. */
function verdictOf(count: number, ruleAt: (at: number) => JsonObject) {
  const rules = many(count, (at) => ({ id: `r${at}`, match: { tools: ["pay"] }, ...ruleAt(at) }));
  const all = [...rules, { id: "last", match: { tools: ["pay"] }, effect: "allow" }];
  return evaluate(compileTexts(toolText("pay"), policyText(all)), {
    ...sampleFacts({}),
    supportedConstraints: ["redactOutput"],
  });
}

const text = "x".repeat(1_990);

describe("what rules tell", () => {
  it.each<[string, (at: number) => JsonObject]>([
    ["texts", (at) => ({ effect: "escalate", message: `${at} ${text}`, approval: { approvers: ["ada"] } })],
    ["summaries", (at) => ({ effect: "escalate", approval: { approvers: ["ada"], summary: `${at} ${text}` } })],
    ["approvers", (at) => ({ effect: "escalate", approval: { approvers: many(50, (n) => `p${at}-${n}`.padEnd(40)) } })],
    [
      "questions",
      (at) => ({ effect: "clarify", questions: many(20, (n) => ({ id: `q${at}_${n}`, type: "string", ask: "?" })) }),
    ],
    ["paths", (at) => ({ effect: "allow", constraints: { redactOutput: many(100, (n) => `a${at}.b${n}`) } })],
  ])("is bounded by the steps of a decision: %s", (_, ruleAt) => {
    expect(verdictOf(20, ruleAt).code).not.toBe("evaluation_error");
    const { effect, code, detail } = verdictOf(400, ruleAt);
    expect([effect, code]).toEqual(["deny", "evaluation_error"]);
    expect(detail).toContain("take more than the 100000 steps of a decision");
  });

  it("leaves a deny a deny by its own rules, however many there are", () => {
    const { code, rules, message } = verdictOf(400, (at) => ({ effect: "deny", message: `${at} ${text}` }));
    expect(code).toBe("rule_denied");
    expect(rules[0]).toEqual({ policy: "p", version: 1, rule: "r0" });
    expect(message.length).toBeLessThan(400_000);
  });

  it("keeps every path that several rules redact, in order and once", () => {
    const { constraints } = verdictOf(20, (at) => ({
      effect: "allow",
      constraints: { redactOutput: [`a${at % 5}`, "b", `c${at}`] },
    }));
    const paths = [...many(5, (at) => `a${at}`), "b", ...many(20, (at) => `c${at}`)];
    expect(constraints).toEqual([{ name: "redactOutput", strings: paths.sort() }]);
  });
});
