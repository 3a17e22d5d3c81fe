import { Effect } from "@remit/proto/common";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { furnish, type House, startHouse } from "../support/pdp.ts";
import { Outcome, spendingIn } from "../support/spending.ts";

/*
 * Amounts as great as they may be: what an account counts stays within 64 bits whatever calls say that they cost.
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

const GREATEST = "2305843009213.693952";
const eur = (value: string) => [{ unit: "EUR", value }];

/** A tool with a soft budget of its own. */
async function counted(name: string, tool = {}) {
  await spend.open(name, tool);
  await spend.budget(name, { owner: { tool: name }, enforcement: "soft" });
  return name;
}

const micros = async (budget: string) =>
  spend.sql("select held::text, posted::text, overage::text from account where budget = $1", [budget]);

test("a soft budget lets in as much as two of the greatest amounts, refuses more by name, and goes on as they end", async () => {
  const tool = await counted("brimming");
  const ask = (cost: string) => spend.decide(headers, tool, {}, { estimate: eur(cost) });
  const [first, second] = [await ask(GREATEST), await ask(GREATEST)];
  const third = await ask(GREATEST);
  expect([first, second].map(({ effect }) => effect)).toEqual([Effect.ALLOW, Effect.ALLOW]);
  expect(third).toMatchObject({ effect: Effect.DENY, reason: { code: "budget_exhausted", retryable: true } });
  expect(third.reason?.detail).toContain("4611686018427.387904 EUR are counted already");
  expect(await ask("0.000001")).toMatchObject({ effect: Effect.DENY, reason: { code: "budget_exhausted" } });
  expect(await ask("0")).toMatchObject({ effect: Effect.ALLOW });
  await spend.report(headers, first.decisionId, Outcome.SUCCEEDED, { actual: eur("5") });
  expect(await ask("7")).toMatchObject({ effect: Effect.ALLOW });
  const told = await spend.report(headers, second.decisionId, Outcome.SUCCEEDED, { actual: eur(GREATEST) });
  expect(told.unsettledUnits).toEqual([]);
  expect(await micros(tool)).toEqual([{ held: "7000000", posted: "2305843009218693952", overage: "0" }]);
});

test("reports are taken whatever they say: what an account can count no more is named, and its hold ends", async () => {
  const tool = await counted("overspent");
  const asked = await Promise.all(
    Array.from({ length: 5 }, () => spend.decide(headers, tool, {}, { estimate: eur("1") })),
  );
  const reported = await Promise.all(
    asked.map(({ decisionId }) => spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur(GREATEST) })),
  );
  const uncounted = reported.filter(({ unsettledUnits }) => unsettledUnits.join() === "EUR");
  expect(uncounted).toHaveLength(3);
  expect(await micros(tool)).toEqual([
    { held: "0", posted: "5000000", overage: String(2n * (2n ** 61n - 1_000_000n)) },
  ]);
  const again = await spend.report(headers, asked[0]?.decisionId ?? "", Outcome.SUCCEEDED, { actual: eur(GREATEST) });
  expect(again).toMatchObject({ replayed: true, unsettledUnits: reported[0]?.unsettledUnits });
});

test("what an older build let in beyond that is read and settled, and lets nothing more in", async () => {
  const tool = await counted("older");
  const ask = () => spend.decide(headers, tool, {}, { estimate: eur("2") });
  const [kept, over] = [await ask(), await ask()];
  const most = String(2n ** 63n - 1n);
  await spend.sql("update account set overage = $2, carried_overage = $2 where budget = $1", [tool, most]);
  expect(await ask()).toMatchObject({ effect: Effect.DENY, reason: { code: "budget_exhausted" } });
  const settled = await spend.report(headers, kept.decisionId, Outcome.SUCCEEDED, { actual: eur("1") });
  const beyond = await spend.report(headers, over.decisionId, Outcome.SUCCEEDED, { actual: eur("3") });
  expect([settled.unsettledUnits, beyond.unsettledUnits]).toEqual([[], ["EUR"]]);
  expect(await micros(tool)).toEqual([{ held: "0", posted: "3000000", overage: most }]);
  const { accounts } = await house.clients.budgets.listAccounts({ budget: tool }, { headers: spend.owner });
  expect(accounts).toMatchObject([{ overage: "9223372036854.775807" }]);
});

test("a call that is only watched goes on, says what would have refused it, and its report is taken", async () => {
  const tool = await counted("watched_brimming", { mode: "observe" });
  const run = async () => {
    const { decisionId, would } = await spend.decide(headers, tool, {}, { estimate: eur(GREATEST) });
    const { unsettledUnits } = await spend.report(headers, decisionId, Outcome.SUCCEEDED, { actual: eur(GREATEST) });
    return [would?.reason?.code, unsettledUnits];
  };
  expect([await run(), await run(), await run(), await run()]).toEqual([
    ["rule_allowed", []],
    ["rule_allowed", []],
    ["budget_exhausted", []],
    ["budget_exhausted", ["EUR"]],
  ]);
});
