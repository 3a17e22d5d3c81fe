import type { BudgetDocument } from "@remit/engine";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type CoveredCall, compileCovering, compileCoveringInSlices } from "./covering.ts";

type Spec = Partial<BudgetDocument["spec"]>;

const budget = (name: string, spec: Spec = {}): BudgetDocument => ({
  apiVersion: "remit/v1",
  kind: "Budget",
  metadata: { name },
  spec: { unit: "EUR", limit: "10", window: "day", owner: "tenant", enforcement: "hard", ...spec },
});

const call = (more: Partial<CoveredCall> = {}): CoveredCall => ({
  tool: "payments.transfer",
  input: { customer_id: "c-1", amount: 5 },
  principal: "anna",
  session: { id: "s3", agent: "payer" },
  ancestors: [
    { id: "s1", agent: "planner" },
    { id: "s2", agent: "buyer" },
  ],
  teamOf: (agent) => (agent === "payer" ? "finance" : undefined),
  ...more,
});

const covered = (specs: Readonly<Record<string, Spec>>, asked = call()) =>
  compileCovering(Object.entries(specs).map(([name, spec]) => budget(name, spec)))
    .of(asked)
    .map(({ budget: name, key }) => (key === "" ? name : `${name} ${key}`));

test.each<[string, Spec, boolean]>([
  ["the tenant's", { owner: "tenant" }, true],
  ["its tool's", { owner: { tool: "payments.transfer" } }, true],
  ["one of a glob that its tool fits", { owner: { tool: "payments.*" } }, true],
  ["another tool's", { owner: { tool: "payments.refund" } }, false],
  ["its agent's", { owner: { agent: "payer" } }, true],
  ["the agent's that handed the work on", { owner: { agent: "planner" } }, false],
  ["its principal's", { owner: { principal: "anna" } }, true],
  ["another principal's", { owner: { principal: "ben" } }, false],
  ["its team's", { owner: { team: "finance" } }, true],
  ["another team's", { owner: { team: "travel" } }, false],
])("a call is charged to %s budget or not", (_whose, spec, is) => {
  expect(covered({ it: spec })).toEqual(is ? ["it"] : []);
});

test("a budget of sessions is charged once for each session of the chain, its own first", () => {
  expect(covered({ run: { owner: "session" } })).toEqual([
    'run {"session":"s3"}',
    'run {"session":"s2"}',
    'run {"session":"s1"}',
  ]);
});

test("a budget with the window of a session has an account a session, whoever owns it", () => {
  expect(covered({ run: { window: "session" } })).toHaveLength(3);
  expect(covered({ run: { window: "session", owner: { tool: "payments.*" } } })).toHaveLength(3);
});

test("an agent's budget of a session counts the sessions of that agent alone, and what they delegated", () => {
  const spec: Spec = { window: "session", owner: { agent: "planner" } };
  expect(covered({ run: spec })).toEqual(['run {"session":"s1"}']);
  expect(covered({ run: { ...spec, owner: { team: "finance" } } })).toEqual(['run {"session":"s3"}']);
});

test("a keyed budget has an account for each combination of values", () => {
  const spec: Spec = { per: ["principal", "agent", "input.customer_id"] };
  expect(covered({ it: spec })).toEqual(['it {"per":{"agent":"payer","input.customer_id":"c-1","principal":"anna"}}']);
});

test("what a call does not say shares one account, apart from every value that can be said", () => {
  const spec: Spec = { per: ["input.order.id"] };
  const keys = [{}, { order: 1 }, { order: { id: null } }, { order: { id: "" } }, { order: { id: {} } }].map(
    (input) => covered({ it: spec }, call({ input }))[0],
  );
  expect(keys[0]).toBe(keys[1]);
  expect(new Set(keys).size).toBe(4);
});

test("the text 1 and the number 1 are two keys, and a long key is its digest", () => {
  const spec: Spec = { per: ["input.id"] };
  const of = (id: string | number) => covered({ it: spec }, call({ input: { id } }))[0];
  expect(of("1")).not.toBe(of(1));
  expect(of(1)).toBe(of(1.0));
  expect(of("x".repeat(9_000))).toMatch(/^it sha256:[0-9a-f]{64}$/);
  expect(of("x".repeat(9_000))).not.toBe(of("x".repeat(9_001)));
});

test("the narrowest comes first: sessions from its own up, keyed ones, tool, agent, principal, team, tenant", () => {
  const names = covered({
    tenant: {},
    team: { owner: { team: "finance" } },
    principal: { owner: { principal: "anna" } },
    agent: { owner: { agent: "payer" } },
    tool: { owner: { tool: "payments.*" } },
    keyed: { per: ["principal"] },
    session: { owner: "session" },
  }).map((text) => text.split(" ")[0]);
  expect(names).toEqual([
    ...["session", "session", "session", "keyed", "tool", "agent", "principal", "team", "tenant"],
  ]);
});

test("a budget is found by its name for a call, also one that does not cover it", () => {
  const covering = compileCovering([
    budget("other", { owner: { tool: "mail.send" } }),
    budget("run", { owner: { agent: "buyer" }, window: "session" }),
  ]);
  expect(covering.named("other", call())).toEqual({ budget: "other", key: "", unit: "EUR", hard: true });
  expect(covering.named("run", call())?.key).toBe('{"session":"s2"}');
  expect(covering.named("nothing", call())).toBeUndefined();
});

const names = fc.constantFrom("a", "b", "c", "a.x", "a.y");
const owners = fc.oneof(
  fc.constantFrom("tenant" as const, "session" as const),
  fc.record({ agent: names }),
  fc.record({ principal: names }),
  fc.record({ team: names }),
  fc.record({ tool: fc.constantFrom("a", "b", "a.*", "*", "*.x", "a.x") }),
);
const specs = fc.array(fc.record({ owner: owners, window: fc.constantFrom("day" as const, "session" as const) }), {
  maxLength: 12,
});
const calls = fc.record({ tool: names, principal: names, agent: names, above: fc.array(names, { maxLength: 3 }) });

test("each account is charged once, whatever budgets there are, and the index finds what a walk of all would", () => {
  fc.assert(
    fc.property(specs, calls, (some, { tool, principal, agent, above }) => {
      const ancestors = above.map((name, at) => ({ id: `up${at}`, agent: name }));
      const asked = call({ tool, principal, session: { id: "me", agent }, ancestors, teamOf: (name) => name });
      const documents = some.map((spec, at) => budget(`b${at}`, spec));
      const together = compileCovering(documents).of(asked);
      const alone = documents.flatMap((document) => compileCovering([document]).of(asked));
      const ids = (list: typeof together) => list.map(({ budget: name, key }) => `${name} ${key}`).sort();
      expect(ids(together)).toEqual(ids(alone));
      expect(new Set(ids(together)).size).toBe(together.length);
    }),
  );
});

test("ten thousand budgets that do not cover a call are not looked at", () => {
  const touched: string[] = [];
  const watched = (name: string, owner: BudgetDocument["spec"]["owner"]) => budget(name, { owner, per: ["principal"] });
  const many = Array.from({ length: 10_000 }, (_, at) =>
    watched(
      `b${at}`,
      [{ agent: `a${at}` }, { principal: `p${at}` }, { tool: `t${at}.*` }, { team: `x${at}` }][at % 4] as never,
    ),
  );
  const covering = compileCovering([...many, budget("mine", { per: ["input.seen"] })]);
  const input = new Proxy(
    { seen: 1 },
    {
      get: (target, path) => {
        touched.push(String(path));
        return Reflect.get(target, path);
      },
    },
  );
  expect(covering.size).toBe(10_001);
  expect(covering.of(call({ input })).map(({ budget: name }) => name)).toEqual(["mine"]);
  expect(touched).toEqual(["seen"]);
});

test.each<[string, string, boolean]>([
  ["input.customer_id", "input.customer_id", true],
  ["input.customer", "input.customer.id", true],
  ["input.customer.id", "input.customer", true],
  ["input.*.id", "input.customer.id", true],
  ["input.customers.*.id", "input.customers", true],
  ["input.customer", "input.customer_id", false],
  ["input.customer.name", "input.customer.id", false],
  ["context.customer_id", "input.customer_id", false],
  ["input.principal", "principal", false],
])("what tools redact at %s is marked in a key by %s, or not", (redacted, path, is) => {
  const value = path.endsWith(".id") ? { customer: { id: "c-1" } } : { [path.split(".").at(-1) ?? ""]: "c-1" };
  const asked = call({ input: value, mark: (text) => `mark of ${text}` });
  const covering = compileCovering([budget("it", { per: [path] })], ["input.other", redacted]);
  const [cover] = covering.of(asked);
  const plain = path === "principal" ? "anna" : "c-1";
  expect([covering.marks, cover?.key]).toEqual([is, JSON.stringify({ per: { [path]: is ? 'mark of "c-1"' : plain } })]);
  expect(covering.named("it", asked)).toEqual(cover);
});

test("of more accounts than a call may be charged to those past that many are counted, and not looked for", () => {
  const specs: Spec[] = [{ per: ["principal"] }, { owner: "session" }, { owner: "tenant" }];
  const covering = compileCovering(Array.from({ length: 300 }, (_, at) => budget(`b${at}`, specs[at % 3] ?? {})));
  const all = covering.of(call());
  expect(all).toHaveLength(100 + 300 + 100);
  expect(covering.of(call(), all.length)).toEqual(all);
  const some = covering.of(call(), 350);
  expect(some.map(({ budget: name }) => name)).toEqual(all.map(({ budget: name }) => name));
  expect(some.slice(0, 351)).toEqual(all.slice(0, 351));
  expect(some.slice(351).every(({ key }) => key === "")).toBe(true);
});

test("budgets are indexed in slices as they are at once", async () => {
  const documents = Array.from({ length: 1_000 }, (_, at) =>
    budget(`b${at}`, { owner: at % 2 === 0 ? { tool: `pay*${at % 7}` } : "tenant", per: ["input.seen"] }),
  );
  let pauses = 0;
  const sliced = await compileCoveringInSlices(documents, ["input.seen"], async () => void pauses++);
  const whole = compileCovering(documents, ["input.seen"]);
  const asked = call({ tool: "pay-3", mark: (json) => `mark of ${json}` });
  expect(sliced.of(asked)).toEqual(whole.of(asked));
  expect([sliced.size, sliced.marks, whole.marks]).toEqual([1_000, true, true]);
  // One step a budget, and two for each glob.
  expect(pauses).toBe(10);
});

test("a key of which something is redacted names what it may have been before: nothing of it, or any part", () => {
  const per = ["principal", "input.customer", "input.shop"] as const;
  const documents = [budget("kept", { per: [...per] })];
  const asked = call({ input: { customer: "c-1", shop: "s-1" }, mark: (text) => `mark of ${text}` });
  const keyed = (customer: string, shop: string) =>
    JSON.stringify({ per: { "input.customer": customer, "input.shop": shop, principal: asked.principal } });
  const [whole] = compileCovering(documents, ["input.customer", "input.shop"]).of(asked);
  expect(whole?.key).toBe(keyed('mark of "c-1"', 'mark of "s-1"'));
  expect(whole?.before?.toSorted()).toEqual(
    [keyed("c-1", "s-1"), keyed("c-1", 'mark of "s-1"'), keyed('mark of "c-1"', "s-1")].sort(),
  );
  const [part] = compileCovering(documents, ["input.shop"]).of(asked);
  expect(part?.before).toEqual([keyed("c-1", "s-1")]);
  expect(compileCovering(documents, ["input.memo"]).of(asked)[0]).not.toHaveProperty("before");
  // A call without the value has no other books than before.
  const [absent] = compileCovering(documents, ["input.shop"]).of({ ...asked, input: { customer: "c-1" } });
  expect(absent).not.toHaveProperty("before");
});
