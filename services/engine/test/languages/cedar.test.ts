import { describe, expect, it } from "vitest";
import { evaluate, explain, type Facts, type JsonObject, type JsonValue } from "../../src/index.ts";
import { CedarBreakdown, withCedar } from "../../src/languages/cedar/engine.ts";
import { sampleFacts } from "../sample.ts";
import { compileBeside } from "./examples.ts";

const tool = { apiVersion: "remit/v1", kind: "Tool", metadata: { name: "pay" }, spec: { risk: "write" } };

const schemaOf = (context: string, more = "") => `${more}
entity Agent { owner: String } tags String;
entity Tool;
action "pay" appliesTo { principal: Agent, resource: Tool, context: { ${context} } };`;

/** A document with its texts as blocks, so that problems are at their places. */
function document(source: string, schema: string, spec: JsonObject = {}): { file: string; text: string } {
  const block = (text: string) =>
    text
      .split("\n")
      .map((line) => `    ${line}`)
      .join("\n");
  const text = `apiVersion: remit/v1
kind: Policy
metadata: { name: p }
spec:
  language: cedar
  match: ${JSON.stringify(spec.match ?? { tools: ["pay"] })}
  mode: ${spec.mode ?? "enforce"}
  schema: |
${block(schema)}
  source: |
${block(source)}
`;
  return { file: "p.yaml", text };
}

const problemsOf = (source: string, schema = schemaOf("input: { n: Long }"), spec: JsonObject = {}) =>
  compileBeside({ file: "pay.yaml", text: JSON.stringify(tool) }, document(source, schema, spec)).problems;

function compiledOf(source: string, schema = schemaOf("input: { n: Long }"), spec: JsonObject = {}) {
  const pay = { file: "pay.yaml", text: JSON.stringify(tool) };
  const { compiled, problems } = compileBeside(pay, document(source, schema, spec));
  if (!compiled || problems.length > 0) throw new Error(problems.join("\n"));
  return compiled;
}

const anyCall = "(principal, action, resource)";
const allow = `@id("yes") @effect("allow") permit ${anyCall}`;
const outcome = ({ effect, code, rules }: ReturnType<typeof evaluate>) =>
  [effect, code, ...rules.map(({ rule }) => rule)].join(" ");
const decide = (source: string, schema: string, input: JsonObject, more: Partial<Facts> = {}) =>
  evaluate(compiledOf(source, schema), sampleFacts({ input, ...more }));

describe("annotations", () => {
  it.each([
    ["a permit without @effect", `@id("a") permit ${anyCall};`],
    ["a policy without @id", `@effect("allow") permit ${anyCall};`],
    ["unknown annotation @efect", `@id("a") @efect("escalate") permit ${anyCall};`],
    ["unknown annotation @approver", `@id("a") @effect("escalate") @approver("ada") permit ${anyCall};`],
    ['a permit with @effect("escalat")', `@id("a") @effect("escalat") @approvers("ada") permit ${anyCall};`],
    ['a permit with @effect("deny")', `@id("a") @effect("deny") permit ${anyCall};`],
    ['a forbid with @effect("escalate")', `@id("a") @effect("escalate") @approvers("ada") forbid ${anyCall};`],
    ["the effect escalate needs `approval`", `@id("a") @effect("escalate") permit ${anyCall};`],
    [
      "`approval` belongs to the effect escalate alone",
      `@id("a") @effect("allow") @approvers("ada") permit ${anyCall};`,
    ],
    ['@quorum("two")', `@id("a") @effect("escalate") @approvers("ada") @quorum("two") permit ${anyCall};`],
    ["the effect transform needs `set`", `@id("a") @effect("transform") permit ${anyCall};`],
    ['@set("{"n": 1, "n": 9}")', `@id("a") @effect("transform") @set("{\\"n\\": 1, \\"n\\": 9}") permit ${anyCall};`],
    ['@set("{"n": 1e400}")', `@id("a") @effect("transform") @set("{\\"n\\": 1e400}") permit ${anyCall};`],
    ['@set("{n: 1}")', `@id("a") @effect("transform") @set("{n: 1}") permit ${anyCall};`],
    [
      "@set: unknown name `inptu`",
      `@id("a") @effect("transform") @set("{\\"n\\": {\\"expr\\": \\"inptu.n\\"}}") permit ${anyCall};`,
    ],
    ["`constraints` mean nothing with the effect deny", `@id("a") @timeout("5s") forbid ${anyCall};`],
    ["the policy `a` stands twice", `@id("a") forbid ${anyCall}; @id("a") forbid ${anyCall};`],
    ["a template", `@id("a") forbid (principal == ?principal, action, resource);`],
  ])("%s is an error where it stands", (message, source) => {
    const problems = problemsOf(source);
    expect(problems.join("\n")).toContain(message);
    expect(problems.join("\n")).toMatch(/^p\.yaml:1[45]:\d+: error:/m);
  });

  it("make every effect, with its parameters", () => {
    const source = `
@id("ask") @effect("escalate") @approvers("group:leads, ada") @quorum("2") @expires("15m") @summary("Look")
permit ${anyCall} when { context.input.n == 1 };
@id("why") @effect("clarify") @questions("[{\\"id\\":\\"memo\\",\\"type\\":\\"string\\",\\"ask\\":\\"Why?\\"}]")
permit ${anyCall} when { context.input.n == 2 };
@id("no") @message("No.") @remedy("Less.")
forbid ${anyCall} when { context.input.n == 3 };
@id("less") @effect("transform") @set("{\\"n\\": {\\"expr\\": \\"int(input.n) - 4\\"}, \\"dry\\": true}")
permit ${anyCall} when { context.input.n == 5 };
@id("held") @effect("allow") @timeout("5s") @redactOutput("a.b, c") @requireIdempotencyKey("true")
permit ${anyCall} when { context.input.n == 6 };`;
    const judged = (n: number) => decide(source, schemaOf("input: { n: Long }"), { n });
    expect(judged(1).approval).toEqual({
      requirements: [
        {
          rule: { policy: "p", version: 1, rule: "ask" },
          approvers: ["group:leads", "ada"],
          quorum: 2,
          expiresSeconds: 900,
        },
      ],
      summary: "Look",
    });
    expect(judged(2).questions).toEqual([{ id: "memo", type: "string", ask: "Why?" }]);
    expect(judged(3)).toMatchObject({ code: "rule_denied", message: "No.", remedy: "Less." });
    expect(judged(6).constraints.map(({ name }) => name)).toEqual(["redactOutput", "requireIdempotencyKey", "timeout"]);
    // What it makes of the input is judged again: one is put before people.
    expect(judged(5)).toMatchObject({ code: "approval_required", transformedInput: { n: 1, dry: true } });
    expect(outcome(judged(4))).toBe("deny no_rule_matched");
  });
});

describe("a source", () => {
  it.each([
    ["attribute `input.m` in context", `@id("a") forbid ${anyCall} when { context.input.m == 1 };`, "context.input.m"],
    ["invalid policy effect: forbidd", `@id("a") forbidd ${anyCall};`, "forbidd"],
    ["unrecognized action", `@id("a") forbid (principal, action == Action::"pai", resource);`, "Action::"],
  ])("with %s is an error at its line and column", (message, source, at) => {
    const [problem = ""] = problemsOf(`// é, which is two bytes\n${source}`);
    const column = source.indexOf(at) + 5;
    expect(problem).toContain(message);
    expect(problem).toContain(`p.yaml:15:${column}: error`);
    // Cedar's own number of a policy.
    expect(problem).not.toContain("policy0");
  });

  it.each([
    ["(", "brackets nested more than 32 deep", `${"(".repeat(2000)}true${")".repeat(2000)}`],
    ["[", "brackets nested more than 32 deep", `${"[".repeat(40)}1${"]".repeat(40)} == 1`],
    ["if", "more than 32 `if`s", `${"if true then ".repeat(500)}true${" else false".repeat(500)}`],
    ["+", "more than 256 operators", `${"1 + ".repeat(3000)}1 > 0`],
    [".", "more than 256 operators", `context${".a".repeat(3000)} == 1`],
    ["&&", "more than 256 operators", `${"true && ".repeat(3000)}true`],
  ])("that nests too many %s is refused before Cedar's parser sees it", (_, message, condition) => {
    expect(problemsOf(`@id("a") forbid ${anyCall} when { ${condition} };`).join("\n")).toContain(message);
  });

  it("at those limits is read, and judged", () => {
    const nested = `${"(".repeat(30)}context.input.n == 1${")".repeat(30)}`;
    const ifs = `(${"if true then ".repeat(30)}true${" else false".repeat(30)})`;
    const long = `${"true && ".repeat(180)}true`;
    const verdict = decide(`${allow} when { ${nested} && ${ifs} && ${long} };`, schemaOf("input: { n: Long }"), {
      n: 1,
    });
    expect(outcome(verdict)).toBe("allow rule_allowed yes");
  });

  it("that would take too many steps is refused", () => {
    const many = Array.from(
      { length: 400 },
      (_, index) => `@id("p${index}") forbid ${anyCall} when { context.input.n == 1 };`,
    );
    expect(problemsOf(many.join("\n")).join("\n")).toContain("expected: at most 50000 for every call");
  });

  it("warns of a policy that can never match", () => {
    const [problem] = problemsOf(`${allow} when { false };`);
    expect(problem).toContain("warning");
  });
});

describe("of many policies", () => {
  it("the one that decides is named, whatever it is called", () => {
    const names = Array.from({ length: 60 }, (_, at) => `policy${(at * 7) % 60}`);
    const source = names
      .map(
        (name, at) => `@id("${name}") @effect("allow") permit ${anyCall} when { context.input.n == ${at} }; // ${at}`,
      )
      .join("\n");
    const compiled = compiledOf(source);
    for (const [n, name] of names.entries()) {
      expect(outcome(evaluate(compiled, sampleFacts({ input: { n } })))).toBe(`allow rule_allowed ${name}`);
    }
  });
});

describe("a schema", () => {
  const levels = (count: number, more: string) =>
    Array.from({ length: count }, (_, at) => `type T${at + 1} = { a: T${at}, ${more.replaceAll("T", `T${at}`)} };`);

  it("whose types double with each level is refused before Cedar puts them in each other", () => {
    const types = ["type T0 = { n: Long };", ...levels(40, "b: T")].join("\n");
    const [problem] = problemsOf(`${allow};`, schemaOf("input: { n: Long, t?: T40 }", types));
    expect(problem).toContain("more than 20000 types");
  });

  it("whose types lie too deep in each other is refused", () => {
    const types = ["type T0 = { n: Long };", ...levels(80, "n: Long")].join("\n");
    const [problem] = problemsOf(`${allow};`, schemaOf("input: { t?: T80 }", types));
    expect(problem).toContain("types in each other more than 64 deep");
  });
  it.each([
    ["a fact `sesion`", schemaOf("input: { n: Long }, sesion: { depth: Long }"), "did you mean: session"],
    ["an attribute `dept`", schemaOf("session: Session", "entity Session { dept: Long };"), "did you mean: depth"],
    ["`depth` as String", schemaOf("session: { depth: String }"), "expected: Long"],
    ["`now` as String", schemaOf("now: String"), "expected: datetime"],
    ["`input` as Long", schemaOf("input: Long"), "expected: a record"],
    ["`session` as Agent", schemaOf("session: Agent"), "expected: Session"],
    [
      "applies to others than agents and tools",
      schemaOf("").replace("principal: Agent", "principal: Tool"),
      "principal: Agent",
    ],
    ["the namespace `Bank`", `${schemaOf("")} namespace Bank { entity A; }`, "nameless"],
  ])("with %s is an error", (message, schema, more) => {
    const problems = problemsOf(`${allow};`, schema).join("\n");
    expect(problems).toContain(message);
    expect(problems).toContain(more);
  });

  it("has an action for every tool that is matched by name", () => {
    const problems = problemsOf(`${allow};`, schemaOf(""), { match: { tools: ["pay", "payments.transfer"] } });
    expect(problems.join("\n")).toContain('the schema has no action "payments.transfer"');
  });

  it("without an action for a tool that is matched otherwise denies its calls", () => {
    const compiled = compiledOf(`${allow};`, schemaOf(""), { match: { tools: ["*"] } });
    expect(outcome(evaluate(compiled, sampleFacts()))).toBe("allow rule_allowed yes");
    const other = evaluate(compiled, sampleFacts({ tool: "mail.send", input: { to: "ada" } }));
    expect(outcome(other)).toBe("deny evaluation_error cedar");
    expect(other.detail).toContain("the schema has no action for the tool mail.send");
  });
});

describe("a fact that Cedar cannot hold exactly", () => {
  const typed = (type: string, value: JsonValue) =>
    decide(`${allow};`, schemaOf(`input: { v: ${type} }`), { v: value });

  it.each([
    ["Long", 5],
    ["Long", -9007199254740991],
    ["decimal", 0.0001],
    ["decimal", -12345.6789],
    ["decimal", 1e9],
    ["decimal", "922337203685477.5807"],
    ["String", "é\u0000\u{1F600}"],
    ["Set<Long>", [1, 2, 1]],
    ["ipaddr", "10.0.0.0/8"],
    ["datetime", "2026-03-02T10:00:00.123Z"],
    ["duration", "90s"],
  ] as [string, JsonValue][])("fits: %s of %j", (type, value) => {
    expect(outcome(typed(type, value))).toBe("allow rule_allowed yes");
  });

  it.each([
    ["Long", 5.5, "input.v is not a whole number"],
    ["Long", "5", "input.v is not a whole number"],
    ["decimal", 0.00001, "input.v is not a number of at most 4 decimals"],
    ["decimal", 1 / 3, "input.v is not a number of at most 4 decimals"],
    ["decimal", 1e15, "input.v is not a number that a decimal can hold"],
    ["decimal", "ten", "input.v is not a decimal number"],
    ["String", 5, "input.v is not text"],
    ["Bool", 0, "input.v is not true or false"],
    ["Set<Long>", [1, "2"], "input.v[1] is not a whole number"],
    ["Set<Long>", { 0: 1 }, "input.v is not a list"],
    ["{ w: Long }", { w: [] }, "input.v.w is not a whole number"],
    ["{ w: Long }", {}, "input.v.w is missing"],
    ["String", null, "input.v is missing"],
    ["ipaddr", "10.0.0.256", "error while evaluating"],
    ["datetime", "2026-03-02T10:00:00.0001Z", "input.v is not a time in whole milliseconds"],
    ["datetime", "today", "input.v is not a time in whole milliseconds"],
  ] as [string, JsonValue, string][])("denies: %s of %j", (type, value, why) => {
    const verdict = typed(type, value);
    expect(outcome(verdict)).toBe("deny evaluation_error cedar");
    expect(verdict.detail).toContain(why);
  });

  it("is absent where it is optional and null", () => {
    const source = `${allow} unless { context.input has v };`;
    const schema = schemaOf("input: { v?: Long }");
    expect(outcome(decide(source, schema, { v: null }))).toBe("allow rule_allowed yes");
    expect(outcome(decide(source, schema, {}))).toBe("allow rule_allowed yes");
    expect(outcome(decide(source, schema, { v: 0 }))).toBe("deny no_rule_matched");
    expect(outcome(decide(source, schema, { v: "0" }))).toBe("deny evaluation_error cedar");
  });
});

describe("a policy in Cedar", () => {
  it("that errs denies, though Cedar itself would pass it by", () => {
    const source = `${allow}; @id("sum") forbid ${anyCall} when { context.input.n + 9223372036854775807 > 0 };`;
    const verdict = decide(source, schemaOf("input: { n: Long }"), { n: 1 });
    expect(outcome(verdict)).toBe("deny evaluation_error cedar");
    expect(verdict.detail).toContain("sum");
    expect(outcome(decide(source, schemaOf("input: { n: Long }"), { n: -9007199254740991 }))).toBe(
      "deny rule_denied sum",
    );
  });

  it("has labels as tags, and every other fact by its name", () => {
    const schema = schemaOf(
      "principal: Principal, session: Session, caller: Caller, now: datetime, call: { attempt: Long }, tool: { risk: String }",
      `entity Principal { id: String, verified: Bool } tags String; entity Caller { name: String };
       entity Session { depth: Long, purpose: String, age: duration, ageSeconds: Long, calls: Long } tags String;`,
    );
    const conditions = [
      'principal == Agent::"clerk" && principal.owner == "ada" && principal.getTag("team") == "finance"',
      'resource == Tool::"pay" && context.tool.risk == "write" && context.call.attempt == 1',
      "context.principal.verified && context.session.depth == 0 && context.session.calls == 3",
      'context.session.age == duration("90s") && context.session.ageSeconds == 90 && !context.session.hasTag("x")',
      'context.caller.name == "sdk" && context.now == datetime("2026-03-02T10:00:00Z")',
    ].map((condition) =>
      condition.replace('principal.getTag("team")', 'principal.hasTag("team") && principal.getTag("team")'),
    );
    expect(outcome(decide(`${allow} when { ${conditions.join(" && ")} };`, schema, {}))).toBe("allow rule_allowed yes");
  });

  it("has what is left of a budget as an exact decimal", () => {
    const schema = schemaOf("budget: { daily: { remaining: decimal, unit: String } }");
    const source = `${allow} when { context.budget.daily.remaining.greaterThan(decimal("9.99")) };`;
    const budget = (remaining: string) => ({ daily: { unit: "EUR", limit: "20", spent: "0", remaining } });
    const judged = (remaining: string) => outcome(decide(source, schema, {}, { budget: budget(remaining) }));
    expect(judged("10")).toBe("allow rule_allowed yes");
    expect(judged("9.99")).toBe("deny no_rule_matched");
    expect(judged("9.99001")).toBe("deny evaluation_error cedar");
    expect(outcome(decide(source, schema, {}))).toBe("deny evaluation_error cedar");
  });

  it("finds tools in the groups that the schema has", () => {
    const schema = `action "writes"; action "money" in ["writes"];
${schemaOf("").replace('action "pay"', 'action "pay" in ["money"]')}`;
    const source = '@id("yes") @effect("allow") permit (principal, action in Action::"writes", resource);';
    expect(outcome(decide(source, schema, {}))).toBe("allow rule_allowed yes");
  });

  it("is cut off where its facts are too many for it", () => {
    const source = `${allow} when { context.input.l.contains("x") };`;
    const schema = schemaOf("input: { l: Set<String> }");
    const list = (count: number) => ({ l: ["x", ...Array.from({ length: count }, (_, index) => `${index}`)] });
    expect(outcome(decide(source, schema, list(500)))).toBe("allow rule_allowed yes");
    const verdict = decide(source, schema, list(2000));
    expect(outcome(verdict)).toBe("deny evaluation_error cedar");
    expect(verdict.detail).toContain("cost limit");
  });

  it("is cut off where patterns and texts would be", () => {
    const like = `context.input.t like "*${"a".repeat(200)}b"`;
    const source = `${allow} when { ${Array.from({ length: 20 }, () => like).join(" || ")} };`;
    const verdict = decide(source, schemaOf("input: { t: String }"), { t: "a".repeat(5000) });
    expect(verdict.detail).toContain("cost limit");
  });

  it("is shown by `explain` by its id", () => {
    const { considered } = explain(compiledOf(`${allow};`, schemaOf("")), sampleFacts());
    expect(considered.map(({ rule, result, why }) => [rule.rule, result, why])).toEqual([
      ["yes", "true", "when is true: the Cedar policy yes"],
    ]);
  });

  it("goes on after Cedar's code has broken down", () => {
    const compiled = compiledOf(`${allow};`, schemaOf(""));
    const facts = sampleFacts();
    expect(outcome(evaluate(compiled, facts))).toBe("allow rule_allowed yes");
    const deep = `permit ${anyCall} when { ${"(".repeat(5000)}true${")".repeat(5000)} };`;
    expect(() => withCedar(({ api }) => api.checkParsePolicySet({ staticPolicies: deep }))).toThrow(CedarBreakdown);
    expect(outcome(evaluate(compiled, facts))).toBe("allow rule_allowed yes");
  });
});
