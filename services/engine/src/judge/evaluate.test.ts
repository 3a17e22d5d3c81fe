import { describe, expect, it } from "vitest";
import {
  allow,
  clarify,
  compiledFor,
  deny,
  escalate,
  judge,
  named,
  outcome,
  rule,
  transform,
} from "../../test/rules.ts";
import { compileTexts, policyText, sampleFacts, toolText } from "../../test/sample.ts";
import { evaluate, type Facts, type JsonObject } from "../index.ts";

describe("the order of an evaluation", () => {
  const rules = [allow("yes")];

  it("denies a tool that is not registered", () => {
    expect(outcome(judge(rules, { tool: "payy" }))).toBe("deny tool_unknown");
    expect(outcome(judge(rules, { tool: "constructor" }))).toBe("deny tool_unknown");
  });

  it("denies an input that does not fit, naming the path", () => {
    const schema = {
      inputSchema: { type: "object", properties: { to: { type: "array", items: { type: "string" } } } },
    };
    const verdict = judge(rules, { input: { to: ["a", 1] } }, schema);
    expect(outcome(verdict)).toBe("deny input_invalid");
    expect(verdict.message).toBe("The input does not fit the tool: input.to.1 must be string.");
  });

  it("denies a context that does not fit", () => {
    const schema = { contextSchema: { type: "object", required: ["user"] } };
    expect(judge(rules, {}, schema).message).toBe("The input does not fit the tool: context.user is missing.");
    expect(outcome(judge(rules, { context: { user: "x" } }, schema))).toBe("allow rule_allowed yes");
  });

  it("checks the input before the scope, and the scope before the rules", () => {
    const schema = { inputSchema: { type: "object", properties: { a: { type: "string" } } } };
    const scopes = [{ tools: ["other"] }];
    expect(judge(rules, { scopes, input: { a: 1 } }, schema).code).toBe("input_invalid");
    expect(judge([deny("no")], { scopes }).code).toBe("scope_exceeded");
  });

  it("names the bound that is exceeded and keeps its limit for people", () => {
    const scopes = [{ tools: ["*"], bounds: [{ tool: "pay", path: "input.amount", max: 10 }] }];
    const verdict = judge(rules, { scopes, input: { amount: 11 } });
    expect(outcome(verdict)).toBe("deny scope_exceeded");
    expect(verdict.message).not.toContain("10");
    expect(verdict.detail).toContain("at most 10");
  });
});

describe("rules combined", () => {
  it("deny when nothing matched", () => {
    expect(outcome(judge([allow("yes", "input.amount > 5")], { input: { amount: 1 } }))).toBe("deny no_rule_matched");
    expect(outcome(evaluate(compileTexts(toolText("pay")), sampleFacts()))).toBe("deny no_rule_matched");
  });

  it("follow the precedence deny > clarify > escalate > transform > allow", () => {
    const ranked = [deny("d"), clarify("c", "true"), escalate("e"), transform("t", { x: 1 }), allow("a")];
    const effects = ranked.map((_, index) => judge([...ranked.slice(index)].reverse()).effect);
    expect(effects).toEqual(["deny", "clarify", "escalate", "transform", "allow"]);
  });

  it("name every rule that agreed, in the order of the document", () => {
    expect(named(judge([deny("one"), allow("two"), deny("three"), deny("four", "false")]))).toEqual(["one", "three"]);
  });

  it("say what the rules say, once each", () => {
    const said = (id: string, message: string) => rule(id, "deny", { message, remedy: `Fix ${id}.` });
    const verdict = judge([said("a", "Not today."), said("b", "Not today."), said("c", "Not here.")]);
    expect(verdict.message).toBe("Not today. Not here.");
    expect(verdict.remedy).toBe("Fix a. Fix b. Fix c.");
  });

  it("want all of `when`, and let all of `unless` together except a call", () => {
    const both = { when: ["input.a", "input.b"] };
    expect(judge([rule("r", "allow", both)], { input: { a: true, b: true } }).effect).toBe("allow");
    expect(judge([rule("r", "allow", both)], { input: { a: true, b: false } }).effect).toBe("deny");
    const except = { unless: ["input.a", "input.b"] };
    expect(judge([rule("r", "deny", except), allow("a")], { input: { a: true, b: false } }).effect).toBe("deny");
    expect(judge([rule("r", "deny", except), allow("a")], { input: { a: true, b: true } }).effect).toBe("allow");
  });

  it("apply to the agents whose labels they name", () => {
    const spec = { appliesTo: { agents: { matchLabels: { team: "finance", level: "2" } } } };
    const compiled = compileTexts(toolText("pay"), policyText([allow("a")], spec));
    const effectFor = (labels: Record<string, string>) => evaluate(compiled, sampleFacts({ agent: { labels } })).effect;
    expect(effectFor({ team: "finance", level: "2", more: "x" })).toBe("allow");
    expect(effectFor({ team: "finance" })).toBe("deny");
    expect(effectFor({ team: "finance", level: "3" })).toBe("deny");
    expect(effectFor({})).toBe("deny");
  });

  it("match by tool, server and risk, and want all that is given", () => {
    const match = { tools: ["pay*"], servers: ["mcp://bank/*"], risk: ["write", "destructive"] };
    const effectFor = (tool: JsonObject, name = "pay") =>
      evaluate(compileTexts(toolText(name, tool), policyText([{ ...allow("a"), match }])), sampleFacts({ tool: name }))
        .effect;
    expect(effectFor({ server: "mcp://bank/eu" })).toBe("allow");
    expect(effectFor({ server: "mcp://shop/eu" })).toBe("deny");
    expect(effectFor({})).toBe("deny");
    expect(effectFor({ server: "mcp://bank/eu", risk: "read" })).toBe("deny");
    expect(effectFor({ server: "mcp://bank/eu" }, "refund")).toBe("deny");
  });
});

describe("a transform", () => {
  it("is not computed further than an evaluation may go, though one list stands in it many times over", () => {
    let read = 0;
    const wide = new Proxy(
      Array.from({ length: 30_000 }, () => 1),
      {
        get: (list, key) => {
          if (typeof key === "string" && /^[0-9]/.test(key)) read++;
          return Reflect.get(list, key);
        },
      },
    );
    const rules = [transform("t", { copies: { expr: "input.list.map(x, input.wide)" } }), allow("a")];
    const verdict = judge(rules, { input: { list: Array.from({ length: 2000 }, () => 1), wide } });
    expect(outcome(verdict)).toBe("deny transform_invalid t");
    expect(verdict.detail).toBe("input.copies: the evaluation passed its cost limit");
    expect(read).toBeLessThan(200_000);
  });

  it("changes the input, computed on the input as proposed", () => {
    const set = { "to.country": "DE", amount: { expr: "input.amount * 2" }, seen: { expr: "[input.amount, 1, now]" } };
    const verdict = judge([transform("t", set)], { input: { amount: 4, to: { town: "Ulm" } } });
    expect(outcome(verdict)).toBe("transform rule_transformed t");
    expect(verdict.transformedInput).toEqual({
      amount: 8,
      to: { town: "Ulm", country: "DE" },
      seen: [4, 1, "2026-03-02T10:00:00Z"],
    });
  });

  it("leaves the proposed input as it was", () => {
    const input = Object.freeze({ to: Object.freeze({ town: "Ulm" }) });
    judge([transform("t", { "to.town": "Bonn" })], { input });
    expect(input).toEqual({ to: { town: "Ulm" } });
  });

  it("has the others judged on what it made, and itself not again", () => {
    const cap = transform("cap", { amount: 100 }, "input.amount > 100");
    expect(outcome(judge([cap, deny("large", "input.amount > 100")], { input: { amount: 500 } }))).toBe(
      "transform rule_transformed cap",
    );
    expect(outcome(judge([cap, deny("exact", "input.amount == 100")], { input: { amount: 500 } }))).toBe(
      "deny rule_denied exact",
    );
    expect(outcome(judge([cap, deny("large", "input.amount > 100")], { input: { amount: 50 } }))).toBe(
      "deny no_rule_matched",
    );
  });

  it("is applied together with the others of its pass", () => {
    const rules = [transform("a", { x: 1, y: 1 }), transform("b", { z: { expr: "input.x" }, y: 1 })];
    const verdict = judge(rules, { input: { x: 7 } });
    expect(verdict.transformedInput).toEqual({ x: 1, y: 1, z: 7 });
    expect(named(verdict)).toEqual(["a", "b"]);
  });

  it.each([
    ["two values for one path", { x: 1 }, { x: 2 }],
    ["a path and one below it", { to: {} }, { "to.country": "DE" }],
    ["a path below one", { "to.country": "DE" }, { to: { country: "DE" } }],
  ])("conflicts with another: %s", (_, first, second) => {
    expect(outcome(judge([transform("a", first), transform("b", second), allow("c")]))).toBe(
      "deny transform_conflict a b",
    );
  });

  it.each([
    ["its value is unknown", { x: { expr: "input.missing" } }],
    ["its path leads through what is no map", { "amount.value": 1 }],
    ["its value is no JSON", { x: { expr: "9007199254740993" } }],
  ])("is invalid when %s, and then nothing else permits", (_, set) => {
    expect(outcome(judge([transform("t", set), allow("a")], { input: { amount: 1 } }))).toBe(
      "deny transform_invalid t",
    );
  });

  it("is invalid when the tool does not accept the result", () => {
    const schema = { inputSchema: { type: "object", properties: { amount: { type: "number" } } } };
    const set = { amount: { expr: "context.amount" } };
    const verdict = judge([transform("t", set)], { input: { amount: 1 }, context: { amount: "5" } }, schema);
    expect(outcome(verdict)).toBe("deny transform_invalid t");
    expect(verdict.detail).toBe("input.amount must be number");
  });

  it("cannot leave the session's scope", () => {
    const scopes = [{ tools: ["*"], bounds: [{ tool: "*", path: "input.amount", max: 10 }] }];
    expect(outcome(judge([transform("t", { amount: 11 })], { scopes, input: { amount: 1 } }))).toBe(
      "deny scope_exceeded t",
    );
  });

  it("makes plain keys of names that objects inherit", () => {
    const verdict = judge([transform("t", JSON.parse('{"__proto__.admin": true}'))]);
    expect(JSON.stringify(verdict.transformedInput)).toBe('{"__proto__":{"admin":true}}');
    expect((verdict.transformedInput as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe("an escalation", () => {
  it("lists the requirement of every rule that asks", () => {
    const verdict = judge([escalate("one"), escalate("two", undefined, ["group:leads"]), allow("a")]);
    expect(outcome(verdict)).toBe("escalate approval_required one two");
    expect(verdict.retryable).toBe(true);
    expect(verdict.approval?.requirements).toEqual([
      { rule: { policy: "p", version: 1, rule: "one" }, approvers: ["ada"], quorum: 1, expiresSeconds: 90 },
      { rule: { policy: "p", version: 1, rule: "two" }, approvers: ["group:leads"], quorum: 1, expiresSeconds: 90 },
    ]);
  });

  it("shows what would run when transforms apply", () => {
    const verdict = judge([escalate("e"), transform("t", { dry: true })], { input: { a: 1 } });
    expect(verdict.effect).toBe("escalate");
    expect(verdict.transformedInput).toEqual({ a: 1, dry: true });
  });

  const grant = (rule: string, version = 1) => ({ policy: "p", version, rule });

  it("counts as an allow by its rule once granted, and by no other", () => {
    const rules = [escalate("one"), escalate("two", "input.two")];
    expect(outcome(judge(rules, { input: { two: false }, granted: [grant("one")] }))).toBe(
      "allow approval_granted one",
    );
    expect(outcome(judge(rules, { input: { two: true }, granted: [grant("one")] }))).toBe(
      "escalate approval_required two",
    );
    expect(outcome(judge(rules, { input: { two: false }, granted: [grant("one", 2)] }))).toBe(
      "escalate approval_required one",
    );
    expect(outcome(judge(rules, { input: { two: false }, granted: [grant("two")] }))).toBe(
      "escalate approval_required one",
    );
  });

  it("takes a step for each grant that it is compared with", () => {
    const rules = Array.from({ length: 200 }, (_, at) => escalate(`e${at}`));
    const granted = Array.from({ length: 1000 }, (_, at) => grant(`other${at}`));
    expect(judge(rules, { granted: granted.slice(0, 100) }).code).toBe("approval_required");
    expect(judge(rules, { granted }).code).toBe("evaluation_error");
  });

  it("still yields to what ranks above it when granted", () => {
    const granted = [grant("one")];
    expect(judge([escalate("one"), deny("d")], { granted }).effect).toBe("deny");
    expect(judge([escalate("one", "false")], { granted }).code).toBe("no_rule_matched");
  });
});

describe("a clarification", () => {
  const ask = clarify("ask", "!present(input.memo) && !present(answers.memo)");

  it("asks every question once", () => {
    const verdict = judge([ask, clarify("again", "true"), clarify("other", "true", "cause")]);
    expect(outcome(verdict)).toBe("clarify facts_missing ask again other");
    expect(verdict.questions?.map(({ id }) => id)).toEqual(["memo", "cause"]);
  });

  it("counts as an allow by its rule once answered", () => {
    expect(outcome(judge([ask], { answers: { memo: "rent" } }))).toBe("allow clarified ask");
  });

  it.each([
    ["another question", { other: "rent" }],
    ["a value of another type", { memo: 5 }],
    ["null", { memo: null }],
    ["a blank text", { memo: " " }],
  ])("is not answered by %s", (_, answers) => {
    expect(judge([ask, allow("a")], { answers }).effect).toBe("clarify");
  });

  it("is not answered in the type in which another rule asks for the same", () => {
    const sure = rule("sure", "clarify", {
      unless: "present(answers.memo)",
      questions: [{ id: "memo", type: "boolean", ask: "Sure?" }],
    });
    const rules = [ask, sure, allow("a")];
    const answered = (memo: string | boolean) => outcome(judge(rules, { answers: { memo } }));
    expect(answered("rent")).toBe("clarify facts_missing sure");
    expect(answered(true)).toBe("clarify facts_missing ask");
    expect(judge([sure, allow("a")], { answers: { memo: true } }).effect).toBe("allow");
  });

  it("is found among thousands of answers and of rules that ask in as many ways", () => {
    const asking = Array.from({ length: 2000 }, (_, at) => ({
      ...clarify(`c${at}`, `!present(answers.q${at})`, `q${at}`),
      match: { tools: [at === 1999 ? "*" : `other.${at}*`, `pay*${at}*`, "p*"] },
    }));
    const compiled = compiledFor([...asking, allow("a")]);
    const others = Array.from({ length: 15_000 }, (_, at) => [`z${at}`, "x"]);
    const known = Array.from({ length: 2000 }, (_, at) => [`q${at}`, "rent"]);
    const silent = sampleFacts({ answers: Object.fromEntries(others) });
    for (let times = 0; times < 20; times++) expect(evaluate(compiled, silent).rules).toHaveLength(2000);
    const answered = sampleFacts({ answers: Object.fromEntries([...others, ...known]) });
    expect(evaluate(compiled, answered).code).toBe("clarified");
  });

  it("is not answered by what makes it silent for another reason", () => {
    const facts = { input: { memo: "rent" }, answers: { memo: "rent" } };
    expect(outcome(judge([ask], facts))).toBe("deny no_rule_matched");
  });

  it("asks on while its condition holds, whatever is answered", () => {
    expect(judge([clarify("ask", "true")], { answers: { memo: "rent" } }).effect).toBe("clarify");
  });
});

describe("constraints", () => {
  const limited = (id: string, constraints: JsonObject, effect = "allow") =>
    rule(id, effect, { constraints, ...(effect === "transform" ? { set: { x: 1 } } : {}) });

  it("of every rule that permits are merged, the strictest winning", () => {
    const verdict = judge([
      limited("a", { timeout: "10s", redactOutput: ["card"] }),
      limited("b", { timeout: "1m", maxOutputBytes: 10, redactOutput: ["iban", "card"] }),
      limited("c", { maxOutputBytes: 20, requireIdempotencyKey: true }, "transform"),
    ]);
    expect(verdict.effect).toBe("transform");
    expect(verdict.constraints).toEqual([
      { name: "maxOutputBytes", integer: 10 },
      { name: "redactOutput", strings: ["card", "iban"] },
      { name: "requireIdempotencyKey", flag: true },
      { name: "timeout", durationMs: 10_000 },
    ]);
  });

  it("that the caller does not support deny the call, naming them and their rules", () => {
    const verdict = judge([limited("a", { timeout: "10s" }), allow("b")], { supportedConstraints: ["maxOutputBytes"] });
    expect(outcome(verdict)).toBe("deny constraint_unsupported a");
    expect(verdict.message).toContain("timeout");
    expect(verdict.constraints).toEqual([]);
  });
});

describe("observing", () => {
  const observed = policyText([deny("watch", "input.amount > 5"), allow("easy")], { mode: "observe" }, "watch");

  it("policies only say what they would have done", () => {
    const compiled = compileTexts(toolText("pay"), policyText([allow("a")]), observed);
    const small = evaluate(compiled, sampleFacts({ input: { amount: 5 } }));
    expect(outcome(small)).toBe("allow rule_allowed a");
    expect(small.would).toMatchObject({ effect: "allow", rules: [{ rule: "a" }, { rule: "easy" }] });
    const large = evaluate(compiled, sampleFacts({ input: { amount: 6 } }));
    expect(outcome(large)).toBe("allow rule_allowed a");
    expect(large.mode).toBe("enforced");
    expect(large.would).toMatchObject({
      effect: "deny",
      code: "rule_denied",
      rules: [{ policy: "watch", rule: "watch" }],
    });
  });

  it("policies alone permit nothing", () => {
    const verdict = evaluate(compileTexts(toolText("pay"), observed), sampleFacts({ input: { amount: 1 } }));
    expect(outcome(verdict)).toBe("deny no_rule_matched");
    expect(verdict.would?.effect).toBe("allow");
  });

  it("a subject allows everything and says what would have been", () => {
    const watch = (facts: Partial<Facts> & { tool?: string }) =>
      evaluate(compiledFor([deny("d")]), sampleFacts({ mode: "observe", ...facts }));
    const verdict = watch({});
    expect(verdict).toMatchObject({ effect: "allow", code: "observed", mode: "observed", rules: [], constraints: [] });
    expect(verdict.would).toMatchObject({ effect: "deny", code: "rule_denied", rules: [{ rule: "d" }] });
    expect(watch({ tool: "unknown" }).would?.code).toBe("tool_unknown");
    expect(watch({ scopes: [] }).would?.code).toBe("scope_exceeded");
  });
});
