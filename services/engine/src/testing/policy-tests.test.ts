import { describe, expect, it } from "vitest";
import { policyText, toolText } from "../../test/sample.ts";
import { parseDocuments, runPolicyTests } from "../index.ts";

const any = { tools: ["*"] };
const { documents } = parseDocuments([
  {
    file: "p.yaml",
    text: [
      toolText("pay"),
      policyText([
        { id: "small", match: any, effect: "allow", when: "input.amount < 5" },
        { id: "large", match: any, effect: "deny", when: "input.amount >= 5", message: "Too much." },
        { id: "dry", match: any, effect: "transform", when: "present(context.dry) && context.dry", set: { dry: true } },
      ]),
      policyText([{ id: "none", match: any, effect: "deny" }], {}, "strict"),
    ].join("\n---\n"),
  },
]);
const test = (cases: string, given = "{ call: { tool: pay, input: { amount: 1 } } }") =>
  runPolicyTests(
    [
      {
        file: "p_test.yaml",
        text: `{ apiVersion: remit/v1, kind: PolicyTest, spec: { policies: [p], given: ${given}, cases: ${cases} } }`,
      },
    ],
    documents,
  );

describe("policy tests", () => {
  it("count what passes", () => {
    const cases = `[
      { name: small, expect: { effect: allow, code: rule_allowed, rules: [small] } },
      { name: large, given: { call: { input: { amount: 9 } } }, expect: { effect: deny, rules: [p/large], message: Too much. } },
      { name: each, each: [{ call: { input: { amount: 5 } } }, { call: { input: { amount: 6 } } }], expect: { effect: deny } },
      { name: gone, without: [call.input.amount], expect: { effect: deny, code: evaluation_error } },
      { name: dry, given: { call: { context: { dry: true } } }, expect: { effect: transform, transformedInput: { dry: true, amount: 1 } } },
      { name: watched, given: { mode: observe, scopes: [] }, expect: { effect: allow, would: deny } },
    ]`;
    expect(test(cases)).toMatchObject({ passed: 7, failed: [] });
  });

  it.each([
    ["{ effect: deny }", "expected effect deny, got allow: Allowed."],
    ["{ effect: allow, code: clarified }", "expected code clarified, got rule_allowed: Allowed."],
    ["{ effect: allow, rules: [large] }", "expected rules large, got small: Allowed."],
    ["{ effect: allow, rules: [] }", "expected rules none, got small: Allowed."],
    ["{ effect: allow, would: deny }", "expected would deny, got none: Allowed."],
    ["{ effect: allow, transformedInput: {} }", "expected input {}, got none: Allowed."],
  ])("say what is otherwise than %s", (expectation, message) => {
    expect(test(`[{ name: one, expect: ${expectation} }]`).failed).toMatchObject([
      { file: "p_test.yaml", name: "one", message },
    ]);
  });

  it("fail, and never pass, when they cannot be read or their policies cannot be found", () => {
    expect(test("[{ name: one, expect: { effect: alow } }]").failed[0]?.message).toContain("did you mean: allow");
    expect(test("[{ name: one, given: { cal: {} }, expect: { effect: allow } }]").failed[0]?.message).toContain(
      "unknown key `cal`",
    );
    expect(test("[]").failed).toHaveLength(1);
    const lost = {
      file: "p_test.yaml",
      text: "{ apiVersion: remit/v1, kind: PolicyTest, spec: { policies: [q], cases: [{ name: a, expect: { effect: deny } }] } }",
    };
    expect(runPolicyTests([lost], documents)).toMatchObject({
      passed: 0,
      failed: [{ message: expect.stringContaining("there is no policy q") }],
    });
  });

  it("judge by all policies where none are named", () => {
    const all = {
      file: "t.yaml",
      text: "{ apiVersion: remit/v1, kind: PolicyTest, spec: { cases: [{ name: a, given: { call: { tool: pay } }, expect: { effect: deny, rules: [none, p/large] } }] } }",
    };
    expect(runPolicyTests([all], documents)).toMatchObject({ passed: 1, failed: [] });
  });
});
