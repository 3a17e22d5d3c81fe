import { afterAll, beforeAll, expect, test } from "vitest";
import { furnish, type House, startHouse } from "../support/pdp.ts";
import { Outcome, spendingIn } from "../support/spending.ts";
import { withClient } from "../support/test-database.ts";

/*
 * Records are dropped a day at a time, and the books stay the sum of all that ever was recorded.
 */

let house: House;
let spend: ReturnType<typeof spendingIn>;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  spend = spendingIn(house);
  await spend.put("Tool", "payments.transfer", { risk: "write", cost: [{ unit: "EUR", value: "4" }] });
  await spend.budget("kept", { limit: "100" });
  ({ headers } = await spend.session());
});
afterAll(() => house.close());

const DAY = "2026-01-02";
const drop = (day: string = DAY) =>
  withClient(house.database.ownerUrl, (client) =>
    client.query<{ dropped: string }>("select remit_drop_record_day($1)::text as dropped", [day]),
  ).then(({ rows }) => Number(rows[0]?.dropped));
const verify = () => house.clients.budgets.verifyBudgets({}, { headers: spend.owner });
const pay = () => spend.decide(headers, "payments.transfer", { amount: 4 });

const unplaced = () =>
  spend.sql("select r.id from record r left join seq_cursor c using (writer) where r.n > coalesce(c.n, 0)");

/** As though all that was recorded until now had been on that day. */
async function longAgo() {
  await expect.poll(unplaced, { timeout: 10_000 }).toEqual([]);
  await withClient(house.database.ownerUrl, (client) =>
    client.query(
      "create table if not exists record_20260102 partition of record for values from ('2026-01-02') to ('2026-01-03')",
    ),
  );
  await spend.sql("update record set day = $1 where day <> $1 and kind <> 'admin'", [DAY]);
}

test("what the records of a day did to accounts is carried forward when they are dropped", async () => {
  const [settled, over, given] = [await pay(), await pay(), await pay()];
  await spend.report(headers, settled.decisionId, Outcome.SUCCEEDED);
  await spend.report(headers, over.decisionId, Outcome.SUCCEEDED, { actual: [{ unit: "EUR", value: "6" }] });
  await spend.report(headers, given.decisionId, Outcome.NOT_EXECUTED);
  await longAgo();
  const before = { held: 0, posted: 8, overage: 2 };
  expect([await spend.books("kept"), (await verify()).differencesFound]).toMatchObject([[before], 0n]);
  expect(await drop()).toBeGreaterThanOrEqual(6);
  expect([await spend.books("kept"), (await verify()).differencesFound]).toMatchObject([[before], 0n]);
  const next = await pay();
  await spend.report(headers, next.decisionId, Outcome.SUCCEEDED);
  expect(await spend.books("kept")).toMatchObject([{ held: 0, posted: 12, overage: 2 }]);
  expect([await spend.differences(), (await verify()).differencesFound]).toEqual([[], 0n]);
});

test("a day whose decisions still hold, one that is too young and one without records are refused, and nothing changes", async () => {
  const open = await pay();
  await longAgo();
  await expect(drop()).rejects.toMatchObject({ code: "55006", hint: expect.stringContaining("remit holds") });
  await withClient(house.database.superuserUrl, async (client) => {
    await client.query("begin");
    await client.query("delete from hold");
    await client.query("update seq_cursor set n = 0");
    await expect(client.query("select remit_drop_record_day($1)", [DAY])).rejects.toMatchObject({
      ...{ code: "55006", hint: "a replica that runs gives them one" },
    });
    await client.query("rollback");
  });
  const today = new Date().toISOString().slice(0, 10);
  await expect(drop(today)).rejects.toMatchObject({ code: "22023", hint: expect.stringContaining("32 days") });
  await expect(drop("2025-01-02")).rejects.toMatchObject({ code: "22023" });
  expect([await spend.differences(), (await verify()).differencesFound]).toEqual([[], 0n]);
  await spend.report(headers, open.decisionId, Outcome.NOT_EXECUTED);
  await longAgo();
  await drop();
  expect([await spend.books("kept"), await spend.differences()]).toMatchObject([[{ held: 0, posted: 12 }], []]);
});

test("the service's own role drops nothing, and a day that is dropped past the function is found", async () => {
  await expect(
    withClient(house.database.runtimeUrl, (client) => client.query("select remit_drop_record_day($1)", [DAY])),
  ).rejects.toMatchObject({ code: "42501" });
  await spend.report(headers, (await pay()).decisionId, Outcome.SUCCEEDED);
  await longAgo();
  await spend.sql("drop table record_20260102");
  expect(await spend.differences()).toMatchObject([{ posted: "16000000", recorded_posted: "12000000" }]);
  expect(await verify()).toMatchObject({ differences: [{ budget: "kept" }] });
});
