import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatProblem, parseDocuments } from "../../services/engine/src/index.ts";
import { defineBudget, defineGroup, definePolicy, defineTool, type PolicyRule } from "./define.ts";

/** What the engine's reader says of documents, written as files hold them. */
function problemsOf(...documents: readonly object[]): string[] {
  const text = documents.map((document) => JSON.stringify(document)).join("\n---\n");
  return parseDocuments([{ file: "defined.yaml", text }]).problems.map(formatProblem);
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** What is undefined is not there. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model).map((value) => JSON.parse(JSON.stringify(value)) as T);

const some = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 }) as fc.Arbitrary<[T, ...T[]]>;
const tools = some(fc.constantFrom("payments.transfer", "payments.*", "*"));
const matches = fc.oneof(
  record({ tools, risk: maybe(some(fc.constantFrom("read", "write"))) }),
  record({ servers: some(fc.constantFrom("mcp://bank/*")) }),
);
const conditions = fc.oneof(fc.constantFrom("input.amount > 5", "vars.large"), some(fc.constant("principal.verified")));
const common = {
  match: matches,
  when: maybe(conditions),
  unless: maybe(conditions),
  message: maybe(fc.constant("No.")),
};
const constraints = maybe(record({ timeout: maybe(fc.constantFrom("10s", "1h30m")), maxOutputBytes: maybe(fc.nat()) }));

const rules = fc.oneof(
  record({ ...common, effect: fc.constant("allow"), constraints }),
  record({ ...common, effect: fc.constant("deny") }),
  record({
    ...common,
    effect: fc.constant("transform"),
    set: fc.constant({ dryRun: true, amount: { expr: "1.0" } }),
    constraints,
  }),
  record({
    ...{ ...common, effect: fc.constant("escalate"), constraints },
    approval: record({
      approvers: some(fc.constantFrom("group:leads", "principal")),
      expires: maybe(fc.constant("15m")),
    }),
  }),
  record({
    ...common,
    effect: fc.constant("clarify"),
    questions: fc.constant([{ id: "memo", type: "string", ask: "Why?" }]),
  }),
) as fc.Arbitrary<Omit<PolicyRule, "id">>;

test("every policy that its types let through is one that the service reads", () => {
  const policies = fc.record({
    rules: some(rules).map((list) => list.map((rule, at) => ({ ...rule, id: `r${at}` })) as unknown as [PolicyRule]),
    agents: maybe(fc.constant({ team: "finance" })),
    mode: maybe(fc.constantFrom("enforce" as const, "observe" as const)),
    limits: maybe(record({ failures: fc.integer({ min: 1, max: 1000 }), perMinute: fc.constant(60) })),
  });
  fc.assert(
    fc.property(policies, ({ rules: list, agents, mode, limits }) => {
      const policy = definePolicy({
        ...{ name: "p", rules: list, variables: { large: "input.amount > 500" } },
        ...(agents && { agents }),
        ...(mode && { mode }),
        ...(limits && { limits }),
      });
      expect(problemsOf(policy)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test("tools, budgets and groups are read, too", () => {
  const owners = ["tenant", "session", { team: "a" }, { agent: "a" }, { principal: "a" }, { tool: "a.*" }] as const;
  const budgets = owners.map((of, at) =>
    defineBudget({
      name: `b${at}`,
      unit: "EUR",
      limit: "5.50",
      window: "day",
      timeZone: "UTC",
      of,
      per: ["principal", "input.id"],
    }),
  );
  const tool = defineTool({
    ...{ name: "pay", risk: "write", timeout: "30s", idempotentOn: ["id"], redact: ["input.iban"] },
    maximum: [{ unit: "EUR", value: "500" }],
    cost: [
      { unit: "EUR", expression: 'amount(input.amount, "EUR")' },
      { unit: "tokens", value: "5" },
    ],
    tolerance: "10%",
    limits: { identical: 2, failures: 3, denials: 4, perSecond: 5, perMinute: 1000 },
  });
  const free = defineTool({ name: "look", risk: "read", cost: "none", tolerance: [{ unit: "EUR", value: "1" }] });
  const lifetime = defineBudget({ name: "all", unit: "calls", limit: "3", window: "lifetime", enforcement: "soft" });
  const agents = { unit: "EUR", limit: "50", window: "day" } as const;
  const usual = [
    defineBudget({ name: "clerk", ...agents, of: { agent: "clerk" }, anomaly: {} }),
    defineBudget({ name: "each", ...agents, per: ["agent"], anomaly: { deviations: 4, windowsMin: 5, floor: "2.50" } }),
  ];
  expect(problemsOf(...usual)).toEqual([]);
  expect(problemsOf(tool, free, ...budgets, lifetime, defineGroup({ name: "leads", members: ["ada"] }))).toEqual([]);
});

test("what a reader would refuse does not compile", () => {
  const match = { tools: ["a"] } as const;
  const approval = { approvers: ["ada"] } as const;
  const wrong = (): PolicyRule[] => [
    // @ts-expect-error an approval belongs to escalate
    { id: "a", match, effect: "deny", approval },
    // @ts-expect-error a transform sets something
    { id: "a", match, effect: "transform" },
    // @ts-expect-error an escalate needs an approval
    { id: "a", match, effect: "escalate" },
    // @ts-expect-error a clarify asks
    { id: "a", match, effect: "clarify" },
    // @ts-expect-error constraints mean nothing with deny
    { id: "a", match, effect: "deny", constraints: { timeout: "1s" } },
    // @ts-expect-error an effect is one of five
    { id: "a", match, effect: "alow" },
    // @ts-expect-error a match names something
    { id: "a", match: {}, effect: "allow" },
    // @ts-expect-error a duration has a unit
    { id: "a", match, effect: "allow", constraints: { timeout: "10 seconds" } },
  ];
  for (const rule of wrong()) {
    expect(problemsOf(definePolicy({ name: "p", rules: [rule] })).length, JSON.stringify(rule)).toBeGreaterThan(0);
  }
  // @ts-expect-error a policy has rules
  expect(problemsOf(definePolicy({ name: "p", rules: [] }))).not.toEqual([]);
  // @ts-expect-error a session has no time zone
  const zoned = defineBudget({ name: "b", unit: "EUR", limit: "5", window: "session", timeZone: "UTC" });
  expect(problemsOf(zoned)).not.toEqual([]);
  const endless = { name: "b", unit: "EUR", limit: "5", of: { agent: "a" } } as const;
  // @ts-expect-error what has one window has none that was usual
  expect(problemsOf(defineBudget({ ...endless, window: "lifetime", anomaly: {} }))).not.toEqual([]);
  // @ts-expect-error money is written as text
  expect(problemsOf(defineBudget({ name: "b", unit: "EUR", limit: 5, window: "day" }))).not.toEqual([]);
});

test("what JSON would leave out is refused where it stands: an allow would lose its condition", () => {
  const rule = { id: "small", match: { tools: ["pay"] }, effect: "allow" } as const;
  const of = (more: object) => () => definePolicy({ name: "p", rules: [{ ...rule, ...more } as PolicyRule] });
  expect(of({ when: undefined })).toThrow("Policy p: spec.rules[0].when is undefined, which no document holds");
  expect(of({ when: ["true", undefined] })).toThrow("spec.rules[0].when[1] is undefined");
  expect(of({ match: { tools: ["pay"], risk: undefined } })).toThrow("spec.rules[0].match.risk is undefined");
  expect(of({ constraints: { maxOutputBytes: Number.NaN } })).toThrow("maxOutputBytes is NaN");
  expect(of({ when: () => "true" })).toThrow("when is a function");
  const agents = undefined as unknown as Record<string, string>;
  expect(() => definePolicy({ name: "p", agents, rules: [rule] })).toThrow("matchLabels is undefined");
  expect(() => defineTool({ name: "t", risk: "write", redact: undefined } as never)).toThrow(
    "spec.redact is undefined",
  );
  const budget = { name: "b", unit: "EUR", limit: "5", window: "day" } as const;
  expect(() => defineBudget({ ...budget, of: undefined } as never)).toThrow("Budget b: spec.owner is undefined");
  expect(() => defineGroup({ name: "g", members: ["a"], ceiling: undefined } as never)).toThrow("spec.ceiling");
  expect(problemsOf(definePolicy({ name: "p", owner: undefined, rules: [rule] }))).toEqual([]);
});

test("the example writes documents that are read", () => {
  const file = fileURLToPath(new URL("../examples/policy.ts", import.meta.url));
  const text = execFileSync(process.execPath, [file], { encoding: "utf8" });
  const { documents, problems } = parseDocuments([{ file: "policies.yaml", text }]);
  expect(problems).toEqual([]);
  expect(documents.policies[0]?.spec.rules.map(({ id }) => id)).toEqual(["small", "large"]);
  expect([documents.tools.length, documents.groups.length, documents.budgets.length]).toEqual([1, 1, 1]);
});
