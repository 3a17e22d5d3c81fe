import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { furnish, type House, startHouse } from "../support/pdp.ts";
import { Outcome, spendingIn } from "../support/spending.ts";

/*
 * What is said of calls that are only observed: which budget would have refused them, by what it holds at that time.
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

/** A tool that is only observed, with a budget of 10 EUR of its own. */
async function observed(name: string) {
  await spend.open(name, { mode: "observe" });
  await spend.budget(name, { owner: { tool: name } });
  return name;
}

/** Asks with an estimate; answers what would have become of it. */
async function ask(as: Record<string, string>, tool: string, cost: string, at: House = house) {
  const { decisionId, effect, would } = await spend.decide(as, tool, {}, { estimate: eur(cost) }, at);
  expect(effect).toBe(Effect.ALLOW);
  return { decisionId, code: would?.reason?.code, detail: would?.reason?.detail };
}

test("what a delegation gave would refuse what is more than is left of it", async () => {
  const tool = await observed("watched_given");
  await spend.put("Agent", "watched-to", { ceiling: { tools: ["*"] } });
  const delegating = { agent: "watched-to", scope: { tools: [tool] }, budget: eur("3") };
  const { token, session } = await house.clients.sessions.delegate(delegating, { headers });
  const as = { ...headers, "remit-session": token };
  const first = await ask(as, tool, "2");
  expect(first.code).toBe("rule_allowed");
  await spend.report(as, first.decisionId, Outcome.SUCCEEDED, { actual: eur("2") });
  expect(await ask(as, tool, "1")).toMatchObject({ code: "rule_allowed" });
  expect(await ask(as, tool, "1.5")).toMatchObject({
    code: "budget_exhausted",
    detail: `budget session:${session?.id}: 1.5 EUR needed, 1 of 3 EUR left`,
  });
});

test("what was spent at another replica counts, although this one heard nothing of it", async () => {
  const tool = await observed("watched_elsewhere");
  await using other = await startHouse({ database: house.database, config: house.config, ownerKey: house.ownerKey });
  expect(await ask(headers, tool, "4", other)).toMatchObject({ code: "rule_allowed" });
  const { decisionId } = await ask(headers, tool, "4");
  await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur("9") });
  expect(await ask(headers, tool, "4")).toMatchObject({ code: "budget_exhausted" });
  await expect
    .poll(async () => (await ask(headers, tool, "4", other)).code, { timeout: 15_000 })
    .toBe("budget_exhausted");
});

/** What a call is reported to have cost, by its id. */
const tell = (callId: string, outcome: Outcome, cost?: string) =>
  house.clients.decisions.report(
    { subject: { case: "callId", value: callId }, outcome, ...(cost !== undefined && { actual: eur(cost) }) },
    { headers },
  );

test("by its id a call counts once, although it was asked again before its report came a second time", async () => {
  const tool = await observed("watched_by_id");
  const ask = () => spend.decide(headers, tool, {}, { callId: "by-id", estimate: eur("5") });
  const first = await ask();
  expect(await tell("by-id", Outcome.SUCCEEDED, "4")).toMatchObject({ decisionId: first.decisionId, replayed: false });
  const second = await ask();
  expect(second).toMatchObject({ attempt: 2, would: { reason: { code: "already_executed" } } });
  expect(await tell("by-id", Outcome.SUCCEEDED, "4")).toMatchObject({ decisionId: first.decisionId, replayed: true });
  expect(await spend.books(tool)).toMatchObject([{ overage: 4 }]);
  // Whoever ran it a second time has the second decision.
  await spend.report(headers, second.decisionId, Outcome.SUCCEEDED, { actual: eur("1") });
  expect(await spend.books(tool)).toMatchObject([{ overage: 5 }]);
});

test("that a call was given up before it came says nothing of what ran by it after that", async () => {
  const tool = await observed("watched_given_up");
  await tell("given-up", Outcome.NOT_EXECUTED);
  const { decisionId } = await spend.decide(headers, tool, {}, { callId: "given-up", estimate: eur("5") });
  expect(await tell("given-up", Outcome.NOT_EXECUTED)).toMatchObject({ decisionId: "", replayed: true });
  const told = await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur("2") });
  expect(told).toMatchObject({ replayed: false, outcome: Outcome.SUCCEEDED });
  expect(await spend.books(tool)).toMatchObject([{ overage: 2 }]);
});
