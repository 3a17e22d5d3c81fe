import type { JsonObject, JsonValue, ToolDocument } from "@remit/engine";
import * as engine from "@remit/engine";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { factsOf } from "./facts.ts";
import type { SeenCall } from "./seen-call.ts";
import { type Suggestion, suggest } from "./suggest.ts";

const clerk = { id: "clerk", labels: { team: "desk" } };

function calls(tool: string, ...inputs: JsonObject[]): SeenCall[] {
  return inputs.map((input) => ({ tool, agent: clerk, input, context: {}, principal: "", redacted: [] }));
}

function suggested(seen: readonly SeenCall[], tools: readonly ToolDocument[] = [], byLabels = false): Suggestion {
  const registered = new Map(tools.map((tool) => [tool.metadata.name, tool]));
  return suggest({ engine, calls: seen, tools: registered, byLabels, source: "a test" });
}

const documentsOf = ({ files }: Suggestion) => files.filter(({ file }) => !file.endsWith("_test.yaml"));
const testsOf = ({ files }: Suggestion) => files.filter(({ file }) => file.endsWith("_test.yaml"));

/** What the suggested policies answer to a call. */
function judge(suggestion: Suggestion): (call: SeenCall) => string {
  const { documents, problems } = engine.parseDocuments(documentsOf(suggestion));
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const whole = engine.compile({ policies, tools: documents.tools }, { strict: true });
  expect([...problems, ...whole.problems].map(engine.formatProblem)).toEqual([]);
  const { compiled } = whole;
  if (!compiled) throw new Error("the suggestion does not compile");
  return (call) => engine.evaluate(compiled, factsOf(call)).effect;
}

/** How the suggestion's own tests end. */
function runTests(suggestion: Suggestion) {
  const { documents } = engine.parseDocuments(documentsOf(suggestion));
  return engine.runPolicyTests(testsOf(suggestion), documents);
}

/** The conditions of the only rule. */
function when(seen: readonly SeenCall[], tools: readonly ToolDocument[] = []): string[] {
  const [policy] = suggested(seen, tools).policies;
  return (policy?.rules[0]?.rule.conditions ?? []).map(({ text }) => text);
}

describe("what is learnt of an argument", () => {
  const texts = (...values: JsonValue[]) => when(calls("pay", ...values.map((to) => ({ to })))).slice(1);

  test("a number lies between the least and the greatest that were seen; one number is that number", () => {
    expect(texts(40, 12.5, 500)).toEqual(["input.to >= 12.5 && input.to <= 500"]);
    expect(texts(-3, -1)).toEqual(["input.to >= -3 && input.to <= -1"]);
    expect(texts(7, 7)).toEqual(["input.to == 7"]);
  });

  test("few texts are a set, many of one form are the form, and prose is any text", () => {
    expect(texts("economy", "business", "economy")).toEqual(['input.to in ["business", "economy"]']);
    const codes = Array.from({ length: 40 }, (_, n) => `HAT-${100 + n}`);
    expect(texts(...codes)).toEqual(['input.to.matches("^HAT-[0-9]{3}$")']);
    const ids = Array.from({ length: 30 }, (_, n) => `${n % 2 ? "A" : "b"}${n}Z`);
    expect(texts(...ids)).toEqual(['input.to.matches("^[A-Za-z0-9]{3,4}$")']);
    const prose = Array.from({ length: 30 }, (_, n) => `${"Dear sir, ".repeat(n)}please.`);
    expect(texts(...prose)).toEqual(["type(input.to) == string"]);
  });

  test("paths lie below their directories, URLs on their hosts and below what their paths share", () => {
    expect(texts("/workspace/a/x.txt", "/workspace/b.txt")).toEqual(['path.within(input.to, "/workspace")']);
    expect(texts("/tmp/a", "/tmp/b", "/var/log/c", "/var/log/d/e")).toEqual([
      'path.within(input.to, "/tmp") || path.within(input.to, "/var/log")',
    ]);
    expect(texts("https://api.acme.com/v1/a", "https://API.acme.com/v1/b")).toEqual([
      'url.scheme(input.to) in ["https"] && url.host(input.to) in ["api.acme.com"] && url.path(input.to).startsWith("/v1/")',
    ]);
    expect(texts("https://a.example/", "http://b.example/x")).toEqual([
      'url.scheme(input.to) in ["http", "https"] && url.host(input.to) in ["a.example", "b.example"]',
    ]);
  });

  test("what only looks like a path is judged by what the engine makes of it", () => {
    const climbing = ["/workspace/../etc/passwd", "/workspace/a"];
    expect(texts(...climbing)).toEqual([`input.to in ${JSON.stringify([...climbing].sort()).replaceAll(",", ", ")}`]);
  });

  test("flags, nulls, several types", () => {
    expect(texts(true, true)).toEqual(["input.to == true"]);
    expect(texts(true, false)).toEqual(["type(input.to) == bool"]);
    expect(texts(null, null)).toEqual(["input.to == null"]);
    expect(texts(null, 4, 5)).toEqual(["input.to == null || (input.to >= 4 && input.to <= 5)"]);
    expect(texts("a", 4)).toEqual(["type(input.to) == double || type(input.to) == string"]);
  });

  test("lists by their length and their elements, maps by their keys and values", () => {
    expect(texts(["a", "b"], ["a"])).toEqual(['size(input.to) <= 2 && input.to.all(item, item in ["a", "b"])']);
    expect(texts([], [])).toEqual(["type(input.to) == list && size(input.to) == 0"]);
    expect(texts({ name: "x", age: 3 }, { name: "y", age: 9 })).toEqual([
      'input.to.all(key, key in ["name", "age"])',
      'input.to.name in ["x", "y"]',
      "input.to.age >= 3 && input.to.age <= 9",
    ]);
    expect(texts([{ id: 1, note: "a" }, { id: 2 }])).toEqual(
      [
        'size(input.to) <= 2 && input.to.all(item, item.all(name, name in ["id", "note"]) && (item.id >= 1 && item.id <= 2) && (!has(item.note) || (item.note == "a")))',
      ].map((text) => text.replace("(item.id >= 1 && item.id <= 2)", "item.id >= 1 && item.id <= 2")),
    );
  });

  test("an argument that may be missing is bounded where it is there; names that conditions cannot write are quoted", () => {
    expect(when(calls("pay", { a: 1 }, { a: 1, "odd name": 2, in: "x" }))).toEqual([
      'input.all(key, key in ["a", "odd name", "in"])',
      "input.a == 1",
      '!("odd name" in input) || (input["odd name"] == 2)',
      '!("in" in input) || (input["in"] == "x")',
    ]);
    expect(when(calls("ping", {}, {}))).toEqual(["size(input) == 0"]);
  });

  test("nothing is asked of a value that its tool's document keeps from readers, and no test shows it", () => {
    const spec = { risk: "write", redact: ["input.card"] } as const;
    const tool: ToolDocument = { apiVersion: "remit/v1", kind: "Tool", metadata: { name: "pay" }, spec };
    const seen = calls("pay", { card: "4111-1", amount: 3 }, { card: "4111-2", amount: 3 });
    expect(when(seen, [tool])).toEqual(['input.all(key, key in ["card", "amount"])', "input.amount == 3"]);
    const suggestion = suggested(seen, [tool]);
    expect(suggestion.files.map(({ text }) => text).join()).not.toContain("4111");
    expect(suggestion.files[0]?.text).toContain("card: any value");
    expect(runTests(suggestion)).toMatchObject({ failed: [] });
  });

  test("nor of what was recorded redacted, in lists and under any key", () => {
    const redacted = ["input.items.*.note", "input.by.*.iban"];
    const mark = (n: number) => ({ redacted: `hmac-sha256:${n}`, key: "k" });
    const seen = [1, 2].map((n): SeenCall => {
      const input = { items: [{ sku: "a", note: mark(n) }], by: { ada: { iban: mark(n), country: "DE" } } };
      return { tool: "pay", agent: clerk, input, context: {}, principal: "", redacted };
    });
    const effect = judge(suggested(seen));
    const asked = (note: JsonValue, iban: JsonValue, country: string) =>
      effect({ ...(seen[0] as SeenCall), input: { items: [{ sku: "a", note }], by: { ada: { iban, country } } } });
    expect(asked("what it was", 42, "DE")).toBe("allow");
    expect(asked("what it was", 42, "FR")).toBe("deny");
    expect(
      suggested(seen)
        .files.map(({ text }) => text)
        .join(),
    ).not.toContain("hmac");
    expect(runTests(suggested(seen)).failed).toEqual([]);
  });
});

test("an argument that was always the session's own principal is bound to it, whoever that is", () => {
  const of = (principal: string, user: string): SeenCall => ({
    ...{ tool: "orders.list", agent: clerk, context: {}, redacted: [] },
    ...{ principal, input: { user, shared: ["ann", principal] } },
  });
  const seen = [of("ann", "ann"), of("bob", "bob"), of("ann", "ann")];
  expect(when(seen).slice(1)).toEqual([
    "input.user == principal.id",
    'size(input.shared) <= 2 && input.shared.all(item, item in ["ann", "bob"])',
  ]);
  const suggestion = suggested(seen);
  expect(runTests(suggestion).failed).toEqual([]);
  const effect = judge(suggestion);
  expect(effect({ ...of("eve", "eve"), input: { user: "eve", shared: ["ann"] } })).toBe("allow");
  expect(effect(of("bob", "ann"))).toBe("deny");
  // One alone, or nobody that is known, proves nothing.
  expect(when([of("ann", "ann")])[1]).toBe('input.user == "ann"');
  expect(when([of("", "ann"), of("", "bob")])[1]).toBe('input.user in ["ann", "bob"]');
  expect(when([...seen, of("bob", "ann")])[1]).toBe('input.user in ["ann", "bob"]');
});

describe("whose calls", () => {
  const other = { id: "other", labels: { team: "desk" } };
  const seen = [
    ...calls("pay", { n: 1 }),
    { tool: "read", agent: other, input: {}, context: {}, principal: "", redacted: [] },
  ];

  test("each agent has its own policy, which no other agent can use", () => {
    const suggestion = suggested(seen);
    expect(suggestion.policies.map(({ name }) => name)).toEqual(["suggested-clerk", "suggested-other"]);
    const effect = judge(suggestion);
    expect(seen.map(effect)).toEqual(["allow", "allow"]);
    expect(effect({ tool: "pay", agent: other, input: { n: 1 }, context: {}, principal: "", redacted: [] })).toBe(
      "deny",
    );
  });

  test("by labels, agents that carry the same share one, and the head says whom else it is for", () => {
    const suggestion = suggested(seen, [], true);
    expect(suggestion.policies.map(({ name }) => name)).toEqual(["suggested-team-desk"]);
    expect(suggestion.files[0]?.text).toContain("for every agent labelled team=desk");
    const effect = judge(suggestion);
    expect(
      effect({
        tool: "pay",
        agent: { id: "third", labels: { team: "desk" } },
        input: { n: 1 },
        context: {},
        principal: "",
        redacted: [],
      }),
    ).toBe("allow");
    expect(
      effect({
        tool: "pay",
        agent: { id: "third", labels: {} },
        input: { n: 1 },
        context: {},
        principal: "",
        redacted: [],
      }),
    ).toBe("deny");
  });
});

describe("what is written", () => {
  const seen = calls("mail.send", { to: "ann@acme.example", cc: null }, { to: "bob@acme.example", cc: null });
  const [policy, tests, tools] = suggested(seen).files;

  test("a rule says how many calls it rests on, what it stops and what it lets through unseen", () => {
    expect(policy?.file).toBe("suggested-clerk.yaml");
    expect(policy?.text).toContain("# 2 calls. Stopped from now on:");
    expect(policy?.text).toContain('#   to other than "ann@acme.example", "bob@acme.example"');
    const [, amounts] = [null, suggested(calls("pay", { amount: 3 }, { amount: 5 })).files[0]?.text];
    expect(amounts).toContain("#   amount below 3 or above 5");
    expect(amounts).toMatch(/# Passes, though it was not seen:\n\s+# {3}amount: any number from 3 to 5/);
  });

  test("tests hold what was seen and a call that breaks each bound; tools that nobody registered are drafted", () => {
    expect(tests?.file).toBe("suggested-clerk_test.yaml");
    expect(tests?.text).toContain("a call that was seen (1)");
    expect(tests?.text).toContain("stopped: another agent");
    expect(tests?.text).toContain("stopped: to other than");
    expect(tools?.text).toContain("Nobody has registered it");
    expect(runTests(suggested(seen))).toMatchObject({ failed: [], passed: expect.any(Number) });
  });
});

test("every bound has a test of a call that breaks it", () => {
  const urls = ["https://api.acme.com/v1/a", "https://api.acme.com/v1/b"];
  const seen = Array.from({ length: 40 }, (_, n) => ({
    ...{ amount: n, flag: n % 2 === 0, mode: n % 3 ? "fast" : "slow", url: urls[n % 2] ?? "", path: `/srv/data/${n}` },
    ...{ id: `AB-${100 + n}`, prose: `${"so ".repeat(n)}it is`, tags: ["a", "b"].slice(n % 2), none: null },
    ...{ user: { name: "x", age: n }, rows: [{ sku: `S${n}`, count: 1 }], both: n % 2 ? "text" : 4 },
    ...(n > 5 && { maybe: n }),
  }));
  const suggestion = suggested(calls("pay", ...seen));
  const [rule] = suggestion.policies[0]?.rules ?? [];
  const conditions = rule?.rule.conditions ?? [];
  expect(conditions).toHaveLength(16);
  expect(rule?.rule.unbounded).toEqual([]);
  const text = testsOf(suggestion)[0]?.text ?? "";
  // A value of one of the types that were seen breaks nothing; that it must be there is what is tested of it.
  const untested = conditions.filter(({ stops }) => !text.includes(`stopped: ${JSON.stringify(stops).slice(1, 60)}`));
  expect(untested.map(({ stops }) => stops)).toEqual([]);
  expect(runTests(suggestion)).toMatchObject({ failed: [] });
});

test("inputs that are wide, long or deep are bounded as far as reads well and costs little", () => {
  const wide = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`arg${n}`, n]));
  const long = { text: "x".repeat(200_000), rows: Array.from({ length: 3000 }, (_, n) => ({ id: n, kind: "k" })) };
  const names = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`name${n}`, n]));
  const nested = (levels: number): JsonValue => (levels === 0 ? 1 : { a: nested(levels - 1) });
  const deep = { a: nested(28) };
  const inputs = { wide, long, names: { names }, deep };
  const seen = Object.entries(inputs).flatMap(([tool, input]) => calls(tool, input as JsonObject));
  const suggestion = suggested(seen);
  const effect = judge(suggestion);
  expect(seen.map(effect)).toEqual(seen.map(() => "allow"));
  expect(runTests(suggestion).failed).toEqual([]);
  const [rules = []] = suggestion.policies.map((policy) => policy.rules);
  const of = (id: string) => rules.find((rule) => rule.id === id)?.rule;
  expect(of("wide")?.conditions).toHaveLength(31);
  expect(of("wide")?.unbounded).toHaveLength(30);
  expect(effect({ ...(seen[0] as SeenCall), input: { ...wide, other: 1 } })).toBe("deny");
  expect(
    of("names")
      ?.conditions.map(({ text }) => text)
      .at(-1),
  ).toBe("type(input.names) == map");
  expect(of("deep")?.unbounded).toEqual(["a.a.a.a.a.a.a.a: any value"]);
  expect(of("long")?.conditions.map(({ text }) => text.slice(0, 40))).toContain(
    "type(input.rows) == list && size(input.r",
  );
});

const word = fc.constantFrom(
  "alpha",
  "beta",
  "Gamma",
  "",
  "true",
  "- x",
  "a: b # c",
  "it's",
  '"quoted"',
  "\u2028\u0085",
  "/srv/data/a.csv",
  "/srv/data/b/c",
  "/../etc",
  "https://api.example/v1/x",
  "https://api.example:8443/v2",
  "2024-05-01",
  "2024-06-30",
  "x".repeat(500),
  "\\d+",
  "[{ [",
  "𝄞",
);
const scalar = fc.oneof(
  word,
  fc.string({ maxLength: 12 }),
  fc.integer({ min: -1000, max: 1000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  fc.boolean(),
  fc.constant(null),
);
const key = fc.constantFrom("amount", "to", "odd key", "in", "__proto__", "constructor", "a.b", "user", "ключ");
const { value: anyValue } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ) as fc.Arbitrary<JsonValue>,
}));
const anyInput = fc.dictionary(key, anyValue, { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<JsonObject>;
const anyCall: fc.Arbitrary<SeenCall> = fc.record({
  tool: fc.constantFrom("pay", "mail/send@v2", "fs.write", "true"),
  agent: fc.constantFrom(clerk, { id: "no", labels: {} }, { id: "x-1", labels: { "a/b": "yes" } }),
  input: anyInput,
  context: fc.constant({}),
  principal: fc.constantFrom("", "alpha", "beta"),
  redacted: fc.constant([]),
});

/** Conditions take long to compile on a busy machine. */
const PATIENCE_MS = 60_000;

describe("for any log", () => {
  test(
    "the draft compiles strictly, stops none of the calls, and its tests pass",
    () => {
      fc.assert(
        fc.property(fc.array(anyCall, { minLength: 1, maxLength: 15 }), fc.boolean(), (seen, byLabels) => {
          const suggestion = suggested(seen, [], byLabels);
          const effect = judge(suggestion);
          expect(seen.filter((call) => effect(call) !== "allow")).toEqual([]);
          expect(runTests(suggestion).failed).toEqual([]);
        }),
        { numRuns: 12 },
      );
    },
    PATIENCE_MS,
  );

  test(
    "what no call was like is stopped: another tool, another agent, another argument",
    () => {
      fc.assert(
        fc.property(fc.array(anyCall, { minLength: 1, maxLength: 10 }), (seen) => {
          const effect = judge(suggested(seen));
          for (const call of seen) {
            expect(effect({ ...call, agent: { id: "stranger", labels: call.agent.labels } })).toBe("deny");
            expect(effect({ ...call, input: { ...call.input, "never seen": 1 } })).toBe("deny");
          }
          const used = new Set(seen.map(({ tool, agent }) => `${agent.id} ${tool}`));
          for (const { tool } of seen) {
            for (const { agent, input } of seen) {
              const call = { tool, agent, input, context: {}, principal: "", redacted: [] };
              if (!used.has(`${agent.id} ${tool}`)) expect(effect(call)).toBe("deny");
            }
          }
        }),
        { numRuns: 6 },
      );
    },
    PATIENCE_MS,
  );
});
