import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digest } from "../../src/foundation/digest.ts";
import { columnsHolding } from "../support/columns.ts";
import { furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { plainBodies } from "../support/plain-bodies.ts";
import { spendingIn } from "../support/spending.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

const CARD = "4111-2222-3333-4444";
const TOOL = `apiVersion: remit/v1
kind: Tool
metadata: { name: cards.charge }
spec:
  risk: write
  redact: [input.card.number, input.memo, context.user.email, input.items.*.note]
  inputSchema:
    type: object
    properties:
      amount: { type: number }
      seen: { type: string }
      memo: { type: string }
      card: { type: object, properties: { number: { type: string, minLength: 10 } } }
`;
const POLICY = `apiVersion: remit/v1
kind: Policy
metadata: { name: cards }
spec:
  rules:
    - id: charges
      match: { tools: [cards.charge] }
      when: input.amount < 100
      effect: allow
    - id: show-last
      match: { tools: [cards.charge] }
      when: input.amount == 50
      effect: transform
      set: { seen: { expr: '"card " + input.card.number' } }
    - id: never
      match: { tools: [cards.charge] }
      when: input.amount >= 100 && timestamp(input.memo) > timestamp("2026-01-01T00:00:00Z")
      effect: deny
`;
let database: TestDatabase;
let house: House;
let other: House;
let headers: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  const config = testConfig(database.runtimeUrl);
  house = await startHouse({ database, config });
  await furnish(house);
  const put = await house.clients.tools.putTool({ document: { file: "tool.yaml", text: TOOL } }, owner());
  expect(put.problems).toEqual([]);
  await house.clients.policies.publishPolicies({ files: [{ file: "cards.yaml", text: POLICY }] }, owner());
  await activate("cards");
  other = await startHouse({ database, config, ownerKey: house.ownerKey });
  ({ headers } = await openSession(house));
});

afterAll(async () => {
  await other.close();
  await house.close();
  await database.drop();
});

const owner = () => ({ headers: { authorization: `Bearer ${house.ownerKey}` } });
const activate = (policy: string, version = 0) =>
  house.clients.policies.activatePolicies({ choices: [{ policy, version }] }, owner());

const inputOf = (amount: number, card = CARD) => ({
  amount,
  memo: "born 1815",
  card: { number: card, name: "Ada" },
  items: [{ note: "gift" }],
});

const charge = (at: House, callId: string, amount: number, card = CARD) =>
  at.clients.decisions.decide(
    {
      ...{
        callId,
        tool: "cards.charge",
        context: { case: "contextObject", value: { user: { email: "eve@example.org" } } },
      },
      input: { case: "inputObject", value: inputOf(amount, card) },
    },
    { headers },
  );

const entryOf = async (decisionId: string) => {
  const [text = ""] = await plainBodies(house, "id = $1", [decisionId]);
  return { text, entry: JSON.parse(text) };
};

test("what the tool names is not in the entry, even opened; digests are of what was asked, and equal values show as equal", async () => {
  const one = await charge(house, "plain-1", 5);
  const two = await charge(house, "plain-2", 6);
  const third = await charge(house, "plain-3", 5, "5555-6666-7777-8888");
  expect(one.effect).toBe(Effect.ALLOW);
  const { text, entry } = await entryOf(one.decisionId);
  expect(text).not.toMatch(/4111-|born|gift|eve@example/);
  expect(entry.input).toMatchObject({ amount: 5, card: { name: "Ada" } });
  expect(entry.redacted).toEqual(["input.card.number", "input.memo", "context.user.email", "input.items.*.note"]);
  const input = inputOf(5);
  const canonical = `{"amount":5,"card":{"name":"Ada","number":"${CARD}"},"items":[{"note":"gift"}],"memo":"born 1815"}`;
  expect(JSON.parse(canonical)).toEqual(input);
  expect(one.inputDigest).toBe(digest("input", canonical));
  const marks = [one, two, third].map(async ({ decisionId }) => (await entryOf(decisionId)).entry.input.card.number);
  const [first, same, differs] = await Promise.all(marks);
  expect(first.redacted).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
  expect(first).toEqual(same);
  expect(first).not.toEqual(differs);
  expect(first.key).toBe(differs.key);
});

test("a forced input is answered whole, a second time and at another replica too, and stands nowhere in its entry", async () => {
  const forced = await charge(house, "forced", 50);
  expect(forced.effect).toBe(Effect.TRANSFORM);
  expect(forced.transformed.value).toMatchObject({ seen: `card ${CARD}`, card: { number: CARD } });
  const { text } = await entryOf(forced.decisionId);
  expect(text).not.toMatch(/4111-|born|gift/);
  const again = await charge(other, "forced", 50);
  expect(again).toMatchObject({ replayed: true, decisionId: forced.decisionId });
  expect(again.transformed).toEqual(forced.transformed);
  expect(again.effectiveInputDigest).toBe(forced.effectiveInputDigest);
});

test("a forced input that cannot be told again is not: the call is denied and says what to do", async () => {
  const forced = await charge(house, "lost", 50);
  const changed = POLICY.replace('"card "', '"the card "');
  await house.clients.policies.publishPolicies({ files: [{ file: "cards.yaml", text: changed }] }, owner());
  await activate("cards");
  const again = await charge(house, "lost", 50);
  await activate("cards", 1);
  expect(forced.effect).toBe(Effect.TRANSFORM);
  expect(again).toMatchObject({
    ...{ effect: Effect.DENY, replayed: true, transformed: { case: undefined } },
    reason: { code: "transform_invalid", message: expect.stringContaining("another call id") },
  });
  expect((await charge(house, "lost", 50)).transformed).toEqual(forced.transformed);
});

test("a denial does not quote in its entry what the tool redacts", async () => {
  const denied = await charge(house, "quoted", 500);
  expect(denied).toMatchObject({ effect: Effect.DENY, reason: { code: "evaluation_error" } });
  const short = await charge(house, "short", 5, "123");
  expect(short).toMatchObject({ effect: Effect.DENY, reason: { code: "input_invalid" } });
  for (const { decisionId } of [denied, short]) {
    expect((await entryOf(decisionId)).text).not.toMatch(/born|1815|"123"/);
  }
});

test("an input that is long stands beside its entry without what is redacted", async () => {
  const value = { ...inputOf(5), seen: "y".repeat(10_000) };
  const asked = { callId: "long", tool: "cards.charge", input: { case: "inputObject", value } } as const;
  const { decisionId } = await house.clients.decisions.decide(asked, { headers });
  const { decision } = await house.clients.ledger.getDecision({ decisionId }, owner());
  const shown = JSON.stringify(decision?.body);
  expect(shown).toContain("yyyy");
  expect(shown).not.toMatch(/4111-|born|gift/);
  const { aside_digest: asideDigest } = JSON.parse(decision?.canonical ?? "{}");
  expect(asideDigest).toMatch(/^sha256:/);
});

test("an explanation shows what decided, and nothing that is redacted, quoted or computed from it", async () => {
  const explained = (amount: number, memo: string) =>
    house.clients.decisions.explain(
      {
        call: {
          ...{ callId: `explained-${amount}`, tool: "cards.charge" },
          context: { case: "contextObject", value: { user: { email: "eve@example.org" }, note: `from ${CARD}` } },
          input: {
            case: "inputObject",
            value: { ...inputOf(amount), memo, seen: `ends in ${CARD.slice(-4)}, ${CARD}` },
          },
        },
      },
      { headers },
    );
  const shown = await explained(50, "born 1815");
  const [show] = shown.considered.filter(({ rule }) => rule?.rule === "show-last");
  expect(show).toMatchObject({
    result: "true",
    conditions: [{ outcome: "true", parts: [{ operands: "50 == 50" }] }],
    settings: [{ path: "input.seen", after: "[redacted]", text: '"card " + input.card.number' }],
  });
  expect(show?.settings[0]?.before).toBe('"ends in 4444, [redacted]"');
  const never = await explained(100, "born 1815");
  expect(never.considered.find(({ rule }) => rule?.rule === "never")?.conditions[0]).toMatchObject({
    outcome: "unknown",
  });
  for (const answer of [shown, never]) {
    const text = JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? `${value}` : value));
    for (const secret of [CARD, "1815", "eve@example.org"]) expect(text).not.toContain(secret);
  }
});

test("books that are kept by a value which is redacted hold a mark of it, equal for equal values with every tool", async () => {
  const MARKER = "customer-0x5eed-of-the-books";
  const spend = spendingIn(house);
  const input = { type: "object", properties: { customer: { type: "string" } } };
  const cost = [{ unit: "points", value: "1" }];
  await spend.put("Tool", "books.first", { risk: "write", redact: ["input.customer"], inputSchema: input, cost });
  await spend.put("Tool", "books.second", { risk: "write", inputSchema: input, cost: "none" });
  const rules = [
    { id: "all", match: { tools: ["books.*"] }, effect: "allow", when: "!(budget.of_customers.used > 0.9)" },
  ];
  const text = JSON.stringify({
    ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "books" }, spec: { rules } },
  });
  await spend.budget("of_customers", {
    unit: "points",
    limit: "10",
    per: ["input.customer"],
    owner: { tool: "books.*" },
  });
  await house.clients.policies.publishPolicies({ files: [{ file: "p.yaml", text }] }, owner());
  await activate("books");
  // From the second call on every replica has to know what the first was decided by.
  let minRevision = 0n;
  const ask = (at: House, tool: string, customer: string, points: string) =>
    spend.decide(headers, tool, { customer }, { estimate: [{ unit: "points", value: points }], minRevision }, at);
  const first = await ask(house, "books.first", MARKER, "4");
  minRevision = first.revision;
  const again = await ask(other, "books.first", MARKER, "2");
  expect([first.effect, again.effect]).toEqual([Effect.ALLOW, Effect.ALLOW]);
  expect(first.holds).toMatchObject([{ budget: "of_customers" }]);
  expect(await columnsHolding(database.superuserUrl, MARKER)).toEqual([]);
  for (const { decisionId } of [first, again]) expect((await entryOf(decisionId)).text).not.toContain(MARKER);
  const second = await ask(other, "books.second", MARKER, "3");
  const stranger = await ask(house, "books.first", `${MARKER}-2`, "10");
  expect([second.effect, stranger.effect]).toEqual([Effect.ALLOW, Effect.ALLOW]);
  const refused = await ask(house, "books.second", MARKER, "2");
  expect(refused).toMatchObject({ effect: Effect.DENY, reason: { code: "budget_exhausted" } });
  const books = await spend.books("of_customers");
  expect(books.map(({ held }) => held).sort((a, b) => b - a)).toEqual([10, 9]);
  for (const { key } of books) expect(JSON.parse(key).per["input.customer"]).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
  const { accounts } = await house.clients.budgets.listAccounts({ budget: "of_customers" }, owner());
  const { holds } = await house.clients.budgets.listHolds({}, owner());
  expect([accounts.length, holds.length]).toEqual([2, 4]);
  const shown = JSON.stringify([accounts, holds], (_, value) => (typeof value === "bigint" ? `${value}` : value));
  expect(shown).not.toContain(MARKER);
});

test("a tool that ends to redact what a budget is kept by is registered with a warning that names both", async () => {
  const spend = spendingIn(house);
  await spend.budget("kept_by_guest", { unit: "points", per: ["input.guest.id"], owner: { tool: "guests.*" } });
  const put = (redact: string) => {
    const text = `apiVersion: remit/v1\nkind: Tool\nmetadata: { name: guests.pay }\nspec:\n  risk: write\n${redact}`;
    return house.clients.tools.putTool({ document: { file: "guests.yaml", text } }, owner());
  };
  expect((await put("")).problems).toEqual([]);
  const { tool, problems } = await put("  redact: [input.memo, input.guest]\n");
  expect(tool).toBeDefined();
  expect(problems).toEqual([]);
  expect((await put("  redact: [input.guest]\n")).problems).toEqual([]);
  const ended = await put("");
  expect(ended.problems).toMatchObject([{ code: "budget_key_redacted", file: "guests.yaml", line: 4 }]);
  expect(ended.problems[0]?.message).toContain("budget `kept_by_guest` keeps accounts by `input.guest.id`");
});

test("a value spends its limit once in the window in which what it is kept by begins to be redacted", async () => {
  const spend = spendingIn(house);
  const { headers } = await spend.session();
  const cost = [{ unit: "points", value: "1" }];
  const tool = (redact?: readonly string[]) =>
    spend.put("Tool", "keeps.pay", { risk: "write", cost, ...(redact && { redact: [...redact] }) });
  await spend.open("keeps.pay", { cost });
  const per = ["input.customer", "input.shop"];
  await spend.budget("kept_on", { unit: "points", window: "lifetime", per, owner: { tool: "keeps.*" } });
  const ask = (at: House, customer: string, points: string) =>
    spend.decide(
      headers,
      "keeps.pay",
      { customer, shop: "s-1" },
      { estimate: [{ unit: "points", value: points }] },
      at,
    );
  const effectOf = async (at: House, customer: string, points: string) => {
    const { effect, reason } = await ask(at, customer, points);
    return effect === Effect.DENY ? reason?.code : effect;
  };
  expect(await effectOf(house, "c-1", "4")).toBe(Effect.ALLOW);
  await tool(["input.shop"]);
  expect(await effectOf(other, "c-1", "3")).toBe(Effect.ALLOW);
  expect(await effectOf(house, "c-2", "9")).toBe(Effect.ALLOW);
  await tool(["input.shop", "input.customer"]);
  const call = {
    callId: spend.id(),
    tool: "keeps.pay",
    input: { case: "inputObject" as const, value: { customer: "c-1", shop: "s-1" } },
  };
  const { budgets } = await house.clients.decisions.explain(
    { call: { ...call, estimate: [{ unit: "points", value: "4" }] } },
    { headers },
  );
  expect(budgets).toMatchObject([{ refuses: "budget_exhausted" }]);
  expect(await Promise.all([house, other].map((at) => effectOf(at, "c-1", "4")))).toEqual(
    Array(2).fill("budget_exhausted"),
  );
  expect(await Promise.all([house, other].map((at) => effectOf(at, "c-2", "2")))).toEqual(
    Array(2).fill("budget_exhausted"),
  );
  expect(await effectOf(other, "c-1", "3")).toBe(Effect.ALLOW);
  const all = await Promise.all([house, other, house, other].map((at) => effectOf(at, "c-3", "4")));
  expect(all.filter((one) => one === Effect.ALLOW)).toHaveLength(2);
  expect((await spend.books("kept_on")).map(({ held }) => held).sort()).toEqual([10, 8, 9]);
  expect(await spend.differences()).toEqual([]);
});
