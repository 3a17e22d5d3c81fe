import { describe, expect, it } from "vitest";
import { allow, clarify, deny, escalate, judge, outcome, rule, transform } from "../../test/rules.ts";

describe("an unknown condition", () => {
  const missing = "input.amount > 5";

  it.each(["deny", "clarify", "escalate"] as const)("matches in a %s rule", (effect) => {
    const rules = { deny: deny("r", missing), clarify: clarify("r", missing), escalate: escalate("r", missing) };
    const verdict = judge([rules[effect], allow("a")]);
    expect(outcome(verdict)).toBe(`${effect} evaluation_error r`);
    expect(verdict.unknowns).toEqual([
      { rule: { policy: "p", version: 1, rule: "r" }, why: "input.amount is missing" },
    ]);
  });

  it("does not match in an allow rule", () => {
    expect(outcome(judge([allow("a", missing)]))).toBe("deny no_rule_matched");
    expect(judge([allow("a", missing)]).detail).toBe("p/a is unknown: input.amount is missing");
  });

  it("in a transform rule denies: nobody knows the input that should run", () => {
    const unsure = transform("t", { x: 1 }, missing);
    expect(outcome(judge([unsure, allow("a"), transform("sure", { y: 1 })]))).toBe("deny evaluation_error t");
    expect(judge([unsure, allow("a")]).detail).toBe("p/t is unknown: input.amount is missing");
    expect(outcome(judge([unsure, allow("a"), escalate("e")]))).toBe("deny evaluation_error t");
    expect(outcome(judge([unsure, deny("d"), clarify("c", "true")]))).toBe("deny rule_denied d");
  });

  it("in a transform rule has the agent asked first, because an answer may make it known", () => {
    const rules = [
      clarify("ask", "!present(answers.memo)"),
      transform("t", { memo: { expr: "answers.memo" } }, 'answers.memo != ""'),
    ];
    expect(outcome(judge(rules))).toBe("clarify facts_missing ask");
    expect(outcome(judge(rules, { answers: { memo: "rent" } }))).toBe("transform rule_transformed t");
  });

  it("in an escalation is put before people only where a grant would let the call run", () => {
    const unsure = escalate("e", missing);
    expect(outcome(judge([unsure]))).toBe("deny evaluation_error e");
    expect(outcome(judge([unsure, allow("a")]))).toBe("escalate evaluation_error e");
    expect(outcome(judge([unsure, escalate("sure")]))).toBe("escalate approval_required e sure");
    expect(outcome(judge([unsure, transform("t", { x: 1 })]))).toBe("escalate evaluation_error e");
  });

  it("in an escalation that was granted lifts the restraint, and permits nothing", () => {
    const granted = [{ policy: "p", version: 1, rule: "e" }];
    const unsure = escalate("e", missing);
    expect(outcome(judge([unsure, allow("a")], { granted }))).toBe("allow rule_allowed a");
    expect(outcome(judge([unsure], { granted }))).toBe("deny evaluation_error e");
    expect(outcome(judge([unsure, allow("b", missing)], { granted }))).toBe("deny evaluation_error e");
  });

  it("does not free the call of the constraints that its rule demands", () => {
    const limited = rule("limited", "allow", { when: missing, constraints: { timeout: "5s" } });
    expect(judge([limited, allow("a")]).constraints).toEqual([{ name: "timeout", durationMs: 5000 }]);
    const verdict = judge([limited, allow("a")], { supportedConstraints: [] });
    expect(outcome(verdict)).toBe("deny constraint_unsupported limited");
  });

  it("is only the reason where no rule of the rank is certain", () => {
    const verdict = judge([deny("unsure", missing), rule("sure", "deny", { message: "Never." })]);
    expect(outcome(verdict)).toBe("deny rule_denied unsure sure");
    expect(verdict.message).toBe("Never.");
  });

  it("tells the model nothing of the policy", () => {
    const verdict = judge([rule("r", "deny", { when: missing, message: "Large transfers are not for you." })]);
    expect(verdict.message).toBe("A policy could not be judged on this call, so the call is not permitted as it is.");
    expect(verdict.detail).toContain("input.amount");
  });

  it("in `unless` is unknown too, unless another part decides", () => {
    const excepted = (unless: string[]) => judge([rule("r", "deny", { unless }), allow("a")]).effect;
    expect(excepted([missing])).toBe("deny");
    expect(excepted([missing, "true"])).toBe("deny");
    expect(judge([rule("r", "allow", { unless: [missing, "false"] })]).effect).toBe("allow");
    expect(judge([rule("r", "allow", { unless: [missing] })]).effect).toBe("deny");
    expect(judge([rule("r", "deny", { when: "false", unless: [missing] }), allow("a")]).effect).toBe("allow");
  });

  it("that takes all steps ends the decision: no rule after it is judged, and nothing is permitted", () => {
    const slow = "input.list.all(x, input.list.all(y, x + y >= 0.0))";
    const input = { list: Array.from({ length: 2000 }, () => 1) };
    const verdict = judge([allow("slow", slow), allow("a")], { input });
    expect(outcome(verdict)).toBe("deny evaluation_error slow");
    expect(verdict.detail).toMatch(/^the rules of this call take more than the 100000 steps of a decision; /);
    expect(outcome(judge([deny("d"), allow("slow", slow), allow("a")], { input }))).toBe("deny rule_denied d");
    expect(outcome(judge([allow("slow", slow), deny("d"), allow("a")], { input }))).toBe("deny evaluation_error slow");
    expect(judge([allow("slow", slow), deny("d"), allow("a")], { input }).unknowns).toHaveLength(1);
  });

  it("of many rules is one too many at some point, however little each takes", () => {
    const many = Array.from({ length: 10_000 }, (_, at) => allow(`a${at}`));
    expect(outcome(judge(many.slice(0, 3_000))).slice(0, 18)).toBe("allow rule_allowed");
    expect(outcome(judge(many)).slice(0, 21)).toBe("deny evaluation_error");
  });
});
