import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { furnish, type House, startHouse } from "../support/pdp.ts";
import { spendingIn } from "../support/spending.ts";

/*
 * How many accounts there may be: of a budget that is kept by what calls say, and of one call.
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

const pay = (tool: string, customer: string, as = headers) =>
  spend.decide(as, tool, { customer }, { estimate: eur("1") });
/** What explaining says would become of it, and by which account. It opens none. */
async function explained(tool: string, customer: string, as = headers) {
  const call = { callId: spend.id(), tool, input: { case: "inputObject" as const, value: { customer } } };
  const said = await house.clients.decisions.explain({ call: { ...call, estimate: eur("1") } }, { headers: as });
  return { code: said.verdict?.reason?.code, refuses: said.budgets.map(({ refuses }) => refuses) };
}

const crowd = (budget: string) =>
  spend.sql<{ key: string; nth: number }>("select key, nth from account where budget = $1 order by id", [budget]);
/** As though it had opened all but this many of what it may. */
const leave = (budget: string, left: number) =>
  spend.sql(
    "update account set nth = nth + $2::int - (select max(nth) from account where budget = $1) where budget = $1",
    [...[budget, limits.budgetAccountsOpenMax - left]],
  );

test("a budget opens as many accounts in a window as it may and no more; those that it has go on", async () => {
  await spend.open("crowded");
  await spend.budget("crowded", { owner: { tool: "crowded" }, per: ["input.customer"], window: "day" });
  await pay("crowded", "a");
  await Promise.all(["b", "c", "b", "c"].map((customer) => pay("crowded", customer)));
  expect((await crowd("crowded")).map(({ nth }) => nth).sort()).toEqual([1, 2, 3]);
  await leave("crowded", 1);
  expect(await explained("crowded", "d")).toEqual({ code: "rule_allowed", refuses: [""] });
  expect((await pay("crowded", "d")).effect).toBe(Effect.ALLOW);
  const refused = await pay("crowded", "e");
  expect(refused).toMatchObject({ effect: Effect.DENY, reason: { code: "account_limit", retryable: false } });
  expect(refused.reason?.detail).toBe(
    'budget crowded ({"per":{"input.customer":"e"}}): it has opened 100000 accounts in this window, the most that one may ' +
      "(budgetAccountsOpenMax); keep it by what has fewer values (per), or give it a shorter window",
  );
  expect((await pay("crowded", "a")).effect).toBe(Effect.ALLOW);
  expect(await explained("crowded", "e")).toEqual({ code: "account_limit", refuses: ["account_limit"] });
  expect(await explained("crowded", "a")).toEqual({ code: "rule_allowed", refuses: [""] });
  // Another replica remembers none of them.
  const other = await startHouse({ database: house.database, config: house.config, ownerKey: house.ownerKey });
  const there = (customer: string) => spend.decide(headers, "crowded", { customer }, { estimate: eur("1") }, other);
  expect([(await there("d")).effect, (await there("f")).reason?.code]).toEqual([Effect.ALLOW, "account_limit"]);
  await other.close();
  expect(await crowd("crowded")).toHaveLength(4);
  await spend.sql("update account set crowd = sha256('yesterday') where budget = 'crowded'");
  expect((await pay("crowded", "e")).effect).toBe(Effect.ALLOW);
});

test("where one budget opens no more nothing is held of the others, and an observed call goes on without it", async () => {
  await spend.open("whole");
  await spend.budget("whole", { owner: { tool: "whole" } });
  await spend.budget("whole_each", { owner: { tool: "whole" }, per: ["input.customer"] });
  await pay("whole", "a");
  await leave("whole_each", 0);
  expect(await pay("whole", "b")).toMatchObject({ reason: { code: "account_limit" }, holds: [] });
  expect(await spend.books("whole")).toMatchObject([{ held: 1 }]);
  await spend.put("Tool", "whole", { risk: "write", mode: "observe" });
  const watched = await pay("whole", "c");
  expect(watched).toMatchObject({ effect: Effect.ALLOW, would: { reason: { code: "account_limit" } } });
});

test("where each session has an account of its own, the keys of one session count against each other alone", async () => {
  await spend.open("sessions");
  await spend.budget("sessions", { owner: "session", window: "session", per: ["input.customer"] });
  await pay("sessions", "a");
  await leave("sessions", 0);
  expect((await pay("sessions", "b")).reason?.code).toBe("account_limit");
  expect((await explained("sessions", "b")).code).toBe("account_limit");
  const { headers: as } = await spend.session();
  expect((await explained("sessions", "b", as)).code).toBe("rule_allowed");
  expect((await pay("sessions", "b", as)).effect).toBe(Effect.ALLOW);
  await house.clients.budgets.deleteBudgets({ names: ["sessions"] }, { headers: spend.owner });
});

test("a call that more accounts cover than one may be charged to is denied, and the budgets and the limit are named", async () => {
  await spend.open("covered");
  await spend.budget("covered", { owner: { tool: "covered" } });
  await spend.sql(
    `insert into budget (tenant, name, document, source, digest, revision)
      select tenant, name || '_' || n, jsonb_set(document, '{metadata,name}', to_jsonb(name || '_' || n)), source, digest, revision
        from budget, generate_series(2, $1) n where name = 'covered'`,
    [limits.callAccountsMax],
  );
  await spend.budget("refreshes", { owner: { tool: "another" } });
  const whole = await pay("covered", "a");
  expect(whole.holds).toHaveLength(limits.callAccountsMax);
  await spend.budget("covered_one_more", { owner: { tool: "covered" } });
  expect(await explained("covered", "a")).toEqual({ code: "account_limit", refuses: [] });
  const refused = await pay("covered", "a");
  expect(refused).toMatchObject({ effect: Effect.DENY, reason: { code: "account_limit" }, holds: [] });
  expect(refused.reason?.detail).toMatch(
    /^129 accounts would be charged, of budgets such as covered\w* and covered\w*; at most 128/,
  );
});
