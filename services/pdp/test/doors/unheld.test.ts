import { Effect } from "@remit/proto/common";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { furnish, type House, startHouse } from "../support/pdp.ts";
import { Outcome, spendingIn } from "../support/spending.ts";

/*
 * What a call cost in a unit in which nothing was held for it: its tool says that it costs nothing. The money was spent.
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
afterEach(async () => {
  expect(await spend.differences()).toEqual([]);
});
afterAll(() => house.close());

const eur = (value: string) => [{ unit: "EUR", value }];

/** A tool that says that it costs nothing, with a budget of 10 EUR of its own. */
async function costless(name: string, budget: Parameters<typeof spend.budget>[1] = {}, tool = {}) {
  await spend.open(name, { cost: "none", ...tool });
  await spend.budget(name, { owner: { tool: name }, ...budget });
  return name;
}

const SERIES: unknown = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);

const entryOf = async (decisionId: string) =>
  (await house.clients.ledger.getDecision({ decisionId }, { headers: spend.owner })) as {
    readonly decision?: { readonly body?: Record<string, unknown> };
    readonly reports: readonly { readonly body?: Record<string, unknown> }[];
  };

test("its cost is charged to every account that covers it, which the call itself neither opened nor locked", async () => {
  const tool = await costless("spared", { per: ["input.customer"], window: "day" });
  await spend.budget("spared_wide", { owner: { tool: "spared*" }, limit: "100" });
  await spend.budget("spared_calls", { owner: { tool }, unit: "calls" });
  const { decisionId, holds } = await spend.decide(headers, tool, { customer: "c-1" });
  expect(holds).toMatchObject([{ budget: "spared_calls" }]);
  expect(await spend.books(tool, "spared_wide")).toEqual([]);
  expect((await entryOf(decisionId)).decision?.body?.covered_by).toEqual([
    { budget: tool, key: '{"per":{"input.customer":"c-1"}}', unit: "EUR", series: SERIES },
    { budget: "spared_wide", unit: "EUR", series: SERIES },
  ]);
  const told = await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur("4.5") });
  expect(told.unsettledUnits).toEqual([]);
  await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur("4.5") });
  const spent = { held: 0, posted: 0, overage: 4.5, frozen: false };
  expect(await spend.books(tool, "spared_wide", "spared_calls")).toMatchObject([
    { ...spent, key: '{"per":{"input.customer":"c-1"}}' },
    spent,
    { held: 0, posted: 1, overage: 0 },
  ]);
});

test("it belongs to the window of its decision, also when that is over by then", async () => {
  const tool = await costless("windowed", { window: "hour" });
  const { decisionId } = await spend.decide(headers, tool);
  const other = await spend.decide(headers, tool, {}, { estimate: eur("1") });
  await spend.sql("update account set opens_at = opens_at - interval '1 hour', closes_at = now() where budget = $1", [
    tool,
  ]);
  await spend.decide(headers, tool, {}, { estimate: eur("2") });
  await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur("3") });
  await spend.report(headers, other.decisionId, Outcome.SUCCEEDED);
  expect(await spend.books(tool)).toMatchObject([
    { posted: 1, overage: 3 },
    { held: 2, overage: 0 },
  ]);
});

test("it counts against the limit, and beyond what its tool tolerates it freezes the narrowest hard budget", async () => {
  const tool = await costless("tolerated", {}, { tolerance: [{ unit: "EUR", value: "8" }] });
  const run = async (cost: string) => {
    const { decisionId } = await spend.decide(headers, tool);
    await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur(cost) });
  };
  await run("8");
  expect(await spend.books(tool)).toMatchObject([{ overage: 8, frozen: false }]);
  const refused = await spend.decide(headers, tool, {}, { estimate: eur("2.5") });
  expect(refused).toMatchObject({ effect: Effect.DENY, reason: { code: "budget_exhausted" } });
  await run("8.000001");
  expect(await spend.books(tool)).toMatchObject([{ overage: 16.000001, frozen: true }]);
});

test("it freezes nothing where the call was only observed, whether anything would have been held or not", async () => {
  const tool = await costless("observed", {}, { tolerance: "0%", mode: "observe" });
  const run = async () => {
    const { decisionId } = await spend.decide(headers, tool);
    await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur("1") });
  };
  await run();
  await spend.budget("observed_calls", { owner: { tool }, unit: "calls" });
  await run();
  expect(await spend.books(tool)).toMatchObject([{ overage: 2, frozen: false }]);
});

test("what a delegation gave is charged too, and so is a call that was only watched or whose hold ran out", async () => {
  const tool = await costless("handed");
  await spend.put("Agent", "handed-to", { ceiling: { tools: ["*"] } });
  const { token, session } = await house.clients.sessions.delegate(
    { agent: "handed-to", scope: { tools: [tool] }, budget: eur("3") },
    { headers },
  );
  const as = { ...headers, "remit-session": token };
  const { decisionId } = await spend.decide(as, tool);
  await spend.report(as, decisionId, Outcome.SUCCEEDED, { actual: eur("2") });
  const own = await spend.sql("select overage::text from account where session = $1", [session?.id]);
  expect([own, await spend.books(tool)]).toMatchObject([[{ overage: "2000000" }], [{ overage: 2 }]]);
  const watched = await costless("seen", {}, { mode: "observe" });
  const seen = await spend.decide(headers, watched);
  await spend.report(headers, seen.decisionId, Outcome.FAILED, { actual: eur("1") });
  expect(await spend.books(watched)).toMatchObject([{ held: 0, overage: 1 }]);
  const late = await costless("late");
  await spend.budget("late_calls", { owner: { tool: late }, unit: "calls" });
  const run = await spend.decide(headers, late);
  await spend.sql("update hold set expires_at = now() where id = $1", [run.decisionId]);
  await expect.poll(async () => (await spend.books("late_calls"))[0]?.posted, { timeout: 10_000 }).toBe(1);
  await spend.report(headers, run.decisionId, Outcome.SUCCEEDED, { actual: eur("2") });
  expect(await spend.books(late, "late_calls")).toMatchObject([{ overage: 2 }, { posted: 1 }]);
});

test("what nobody counts is said: of units that no budget covered then, or of one that is not declared any more", async () => {
  const tool = await costless("gone");
  await spend.budget("gone_tokens", { owner: { tool }, unit: "tokens" });
  const { decisionId } = await spend.decide(headers, tool);
  await house.clients.budgets.deleteBudgets({ names: ["gone_tokens"] }, { headers: spend.owner });
  const actual = [
    ...eur("1"),
    { unit: "tokens", value: "50" },
    { unit: "JPY", value: "9" },
    { unit: "USD", value: "0" },
  ];
  const told = await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual });
  expect(told.unsettledUnits).toEqual(["tokens", "JPY"]);
  expect(await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual })).toMatchObject({
    ...{ replayed: true, unsettledUnits: ["tokens", "JPY"] },
  });
  const { reports } = await entryOf(decisionId);
  expect(reports[0]?.body).toMatchObject({ unsettled: ["tokens", "JPY"], settled: [{ budget: tool, overage: "1" }] });
  expect(await spend.books(tool)).toMatchObject([{ overage: 1 }]);
});

test.each<[string, object, string[], number]>([
  ["the same", {}, [], 5],
  ["another limit", { limit: "3", enforcement: "soft" }, [], 5],
  ["another unit", { unit: "tokens" }, ["EUR"], 0],
  ["another owner", { owner: { tool: "another" } }, ["EUR"], 0],
  ["other keys", { per: ["input.customer"] }, ["EUR"], 0],
  ["another window", { window: "day" }, ["EUR"], 0],
])(
  "a budget that was deleted and declared anew with %s is charged only where it is the same one",
  async (as, other, ...told) => {
    const [unsettledUnits, overage] = told;
    const tool = await costless(`anew_${as.replaceAll(" ", "_")}`);
    const { decisionId } = await spend.decide(headers, tool);
    await house.clients.budgets.deleteBudgets({ names: [tool] }, { headers: spend.owner });
    await spend.budget(tool, { owner: { tool }, ...other });
    const reported = await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur("5") });
    expect(reported.unsettledUnits).toEqual(unsettledUnits);
    expect((await spend.books(tool)).reduce((sum, one) => sum + one.overage, 0)).toBe(overage);
  },
);

test("that nothing ran, that nobody knows and that it cost nothing charge nothing and open nothing", async () => {
  const tool = await costless("untouched");
  for (const [outcome, cost] of [
    [Outcome.NOT_EXECUTED, "1"],
    [Outcome.UNKNOWN, "1"],
    [Outcome.RUNNING, "1"],
    [Outcome.SUCCEEDED, "0"],
  ] as const) {
    const { decisionId } = await spend.decide(headers, tool, { outcome });
    await spend.report(headers, decisionId, outcome, { actual: eur(cost) });
  }
  expect(await spend.books(tool)).toEqual([]);
});
