import type { MessageInitShape } from "@bufbuild/protobuf";
import { Effect, Mode } from "@remit/proto/common";
import type { DecideRequestSchema } from "@remit/proto/decision";
import { TenantUnbudgeted } from "@remit/proto/tenant";
import { afterAll, beforeAll, expect, test } from "vitest";
import { furnish, type House, startHouse } from "../support/pdp.ts";
import { spendingIn } from "../support/spending.ts";

/*
 * What `Explain` says of budgets: what would be held, and what would refuse it. It holds nothing and opens nothing.
 */

let house: House;
let spend: ReturnType<typeof spendingIn>;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  spend = spendingIn(house);
  ({ headers } = await spend.session());
});
afterAll(() => house.close());

const eur = (value: string) => [{ unit: "EUR", value }];

const explain = (
  tool: string,
  input: Record<string, string> = {},
  more: MessageInitShape<typeof DecideRequestSchema> = {},
  as = headers,
) =>
  house.clients.decisions.explain(
    { call: { callId: spend.id(), tool, input: { case: "inputObject", value: input }, ...more } },
    { headers: as },
  );

/** What of the store explaining must leave alone. */
const books = () =>
  spend.sql(
    "select (select count(*) from account) accounts, (select count(*) from hold) holds, (select count(*) from record where kind = 'decision') decisions",
  );

test("what would be held is told account by account, with what is free before and after, and nothing is held or opened", async () => {
  await spend.open("told");
  await spend.budget("told", { owner: { tool: "told" }, limit: "100" });
  await spend.budget("told_each", {
    owner: { tool: "told" },
    limit: "3",
    unit: "calls",
    window: "day",
    per: ["input.customer"],
  });
  await spend.budget("told_soft", { owner: { tool: "told" }, limit: "5", enforcement: "soft" });
  await spend.decide(headers, "told", { customer: "a" }, { estimate: eur("30") });
  const before = await books();
  const { verdict, budgets } = await explain("told", { customer: "b" }, { estimate: eur("60") });
  expect(verdict).toMatchObject({ effect: Effect.ALLOW, reason: { code: "rule_allowed" } });
  const [each, ...wide] = budgets;
  expect(each).toMatchObject({
    ...{ budget: "told_each", key: '{"per":{"input.customer":"b"}}', accountId: "", needed: "1", unit: "calls" },
    ...{ limit: "3", spent: "0", held: "0", free: "3", freeAfter: "2", refuses: "", hard: true },
  });
  expect(each?.closesAt).toBeDefined();
  expect(wide).toMatchObject([
    { budget: "told", needed: "60", limit: "100", held: "30", free: "70", freeAfter: "10", refuses: "", hard: true },
    { budget: "told_soft", needed: "60", free: "-25", freeAfter: "-85", refuses: "", hard: false },
  ]);
  expect(wide[0]?.accountId).not.toBe("");
  expect(await books()).toEqual(before);
});

test("what does not fit is told as Decide would answer it, beside what would let it in", async () => {
  await spend.open("tight");
  await spend.budget("tight", { owner: { tool: "tight" }, limit: "10" });
  await spend.budget("tight_wide", { owner: { tool: "tight*" }, limit: "100" });
  const { verdict, budgets } = await explain("tight", {}, { estimate: eur("12.5") });
  expect(verdict).toMatchObject({
    ...{ effect: Effect.DENY, rules: [{ rule: "all" }] },
    reason: { code: "budget_exhausted", detail: "budget tight: 12.5 EUR needed, 10 of 10 EUR left" },
  });
  expect(budgets.map(({ budget, refuses, freeAfter }) => [budget, refuses, freeAfter])).toEqual([
    ["tight", "budget_exhausted", "-2.5"],
    ["tight_wide", "", "87.5"],
  ]);
  const decided = await spend.decide(headers, "tight", {}, { estimate: eur("12.5") });
  expect(decided.reason).toEqual({ ...verdict?.reason, $typeName: decided.reason?.$typeName });
});

test("what is frozen, and a cost that nobody says, are told of the accounts that they are of", async () => {
  await spend.open("unsaid");
  await spend.budget("unsaid", { owner: { tool: "unsaid" } });
  await spend.budget("unsaid_calls", { owner: { tool: "unsaid" }, unit: "calls", limit: "9" });
  await spend.budget("unsaid_soft", { owner: { tool: "unsaid" }, unit: "tokens", enforcement: "soft" });
  const freeze = (budget: string) =>
    house.clients.budgets.freezeBudget({ budget, reason: "INC-7" }, { headers: spend.owner });
  await freeze("unsaid_calls");
  const { verdict, budgets } = await explain("unsaid");
  expect(verdict?.reason).toMatchObject({
    code: "estimate_missing",
    detail: expect.stringContaining("budget unsaid "),
  });
  expect(budgets.map(({ budget, refuses, needed }) => [budget, refuses, needed])).toEqual([
    ["unsaid", "estimate_missing", ""],
    ["unsaid_calls", "budget_frozen", "1"],
    ["unsaid_soft", "", ""],
  ]);
  const known = await explain("unsaid", {}, { estimate: eur("1") });
  expect(known.verdict?.reason?.code).toBe("budget_frozen");
});

test("a cost in a unit that no budget covers is told, and so is what policies refuse: then nothing would be held", async () => {
  await spend.open("nowhere");
  const unbudgeted = (to: TenantUnbudgeted) =>
    house.clients.tenants.updateTenant({ tenant: "default", unbudgeted: to }, { headers: spend.owner });
  await unbudgeted(TenantUnbudgeted.DENY);
  const { verdict, budgets } = await explain("nowhere", {}, { estimate: [{ unit: "JPY", value: "1" }] });
  expect([verdict?.reason?.code, budgets]).toEqual(["no_budget", []]);
  await unbudgeted(TenantUnbudgeted.ALLOW);
  expect((await explain("nowhere", {}, { estimate: [{ unit: "JPY", value: "1" }] })).verdict).toMatchObject({
    effect: Effect.ALLOW,
  });
  const denied = await explain("records.delete", {}, { estimate: eur("1") });
  expect([denied.verdict?.reason?.code, denied.budgets]).toEqual(["no_rule_matched", []]);
});

test("what a delegation gave is told with what is left of it, and of an observed call what would be", async () => {
  await spend.open("watched", { mode: "observe" });
  await spend.budget("watched", { owner: { tool: "watched" } });
  const watched = await explain("watched", {}, { estimate: eur("11") });
  expect(watched).toMatchObject({
    ...{ mode: Mode.OBSERVED, verdict: { effect: Effect.ALLOW } },
    would: { effect: Effect.DENY, reason: { code: "budget_exhausted" } },
  });
  expect(watched.budgets).toMatchObject([{ budget: "watched", refuses: "budget_exhausted" }]);
  await spend.open("handed");
  await spend.budget("handed", { owner: { tool: "handed" } });
  await spend.put("Agent", "handed-to", { ceiling: { tools: ["*"] } });
  const { token, session } = await house.clients.sessions.delegate(
    { agent: "handed-to", scope: { tools: ["handed"] }, budget: eur("3") },
    { headers },
  );
  const as = { ...headers, "remit-session": token };
  await spend.decide(as, "handed", {}, { estimate: eur("2") });
  const { verdict, budgets } = await explain("handed", {}, { estimate: eur("2") }, as);
  expect(verdict?.reason?.code).toBe("budget_exhausted");
  expect(budgets).toMatchObject([
    {
      budget: `session:${session?.id}`,
      limit: "3",
      held: "2",
      free: "1",
      freeAfter: "-1",
      refuses: "budget_exhausted",
    },
    { budget: "handed", held: "2", free: "8", freeAfter: "6", refuses: "" },
  ]);
});

test("a condition that reads a budget is explained without opening its account", async () => {
  await spend.open("reads");
  await spend.budget("reads", { owner: { tool: "reads" } });
  const rule = { id: "over", match: { tools: ["reads"] }, effect: "deny", when: "budget.reads.used > 0.5" };
  const text = JSON.stringify({
    ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "reads-used" }, spec: { rules: [rule] } },
  });
  const how = { headers: spend.owner };
  await house.clients.policies.publishPolicies({ files: [{ file: "p.yaml", text }] }, how);
  await house.clients.policies.activatePolicies({ choices: [{ policy: "reads-used" }] }, how);
  const fresh = await explain("reads", {}, { estimate: eur("6") });
  expect(fresh).toMatchObject({ verdict: { effect: Effect.ALLOW }, budgets: [{ accountId: "", freeAfter: "4" }] });
  expect(await spend.books("reads")).toEqual([]);
  await spend.decide(headers, "reads", {}, { estimate: eur("6") });
  expect((await explain("reads", {}, { estimate: eur("1") })).verdict?.reason?.code).toBe("rule_denied");
});
