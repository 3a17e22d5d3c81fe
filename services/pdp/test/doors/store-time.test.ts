import { timestampMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

const HOUR_MS = 3_600_000;

/** Gives a database a clock of its own, this much ahead of the machine's. Answers how to set it. */
async function ownClock({ superuserUrl, name }: TestDatabase) {
  const run = (sql: string) => withClient(superuserUrl, async (client) => void (await client.query(sql)));
  await run(`
    create schema shifted;
    create table shifted.ahead as select 0::float8 as ms;
    create function shifted.clock_timestamp() returns timestamptz language sql volatile
      as 'select pg_catalog.clock_timestamp() + ms * interval ''1 millisecond'' from shifted.ahead';
    grant usage on schema shifted to public;
    grant select on shifted.ahead to public;
    alter database ${name} set search_path = shifted, pg_catalog, public;
  `);
  return (ms: number) => run(`update shifted.ahead set ms = ${ms}`);
}

const page = async ({ pdp }: House) => {
  const response = await fetch(`http://${pdp.metricsAddress}/readyz`);
  return { status: response.status, text: await response.text() };
};

const decide = async ({ clients }: House, headers: Record<string, string>, callId: string) => {
  const input = { case: "inputObject", value: {} } as const;
  const call = { callId, tool: "invoices.read", input, supportedConstraints: ["timeout", "maxOutputBytes"] };
  const { evaluatedAt, executeBefore } = await clients.decisions.decide(call, { headers });
  if (!evaluatedAt || !executeBefore) throw new Error("the answer has no times");
  return { atMs: timestampMs(evaluatedAt), executeBeforeMs: timestampMs(executeBefore) };
};

test("decisions go by the store's time; a machine whose clock is far from it is not ready, and says so", async () => {
  const database = await createTestDatabase();
  const setAhead = await ownClock(database);
  await setAhead(HOUR_MS);
  const house = await startHouse({ database });
  await furnish(house);
  const { headers } = await openSession(house);

  const before = Date.now() + HOUR_MS;
  const first = await decide(house, headers, "one");
  const after = Date.now() + HOUR_MS;
  // What two clocks of one machine may differ by, and the answer's whole milliseconds.
  expect(first.atMs).toBeGreaterThan(before - 500);
  expect(first.atMs).toBeLessThan(after + 500);
  expect(first.executeBeforeMs - first.atMs).toBe(60_000);
  const { status, text } = await page(house);
  expect(status).toBe(503);
  expect(text).toMatch(/this machine's clock is 3\d{6} ms behind its Postgres's/);

  // The store's clock is set back: this service is ready, and its time does not go back with it.
  await setAhead(0);
  await eventually(async () => (await page(house)).status === 200);
  const second = await decide(house, headers, "two");
  expect(second.atMs).toBeGreaterThanOrEqual(first.atMs);

  await setAhead(-2_000);
  await eventually(async () => (await page(house)).status === 503);
  expect((await page(house)).text).toMatch(/this machine's clock is \d{4} ms ahead of its Postgres's/);
  await house.close();
  await database.drop();
});

test("a difference that clocks have is no trouble", async () => {
  const database = await createTestDatabase();
  const setAhead = await ownClock(database);
  await setAhead(300);
  await using house = await startHouse({ database });
  expect(await page(house)).toEqual({ status: 200, text: "ready\n" });
  await house.close();
  await database.drop();
});

test("a log that is played again brings its own time, and says nothing of this machine's clock", async () => {
  const clock = settableClock(Date.parse("2001-02-03T04:05:06Z"));
  await using house = await startHouse({ clock });
  await furnish(house);
  const { headers } = await openSession(house);
  expect((await decide(house, headers, "one")).atMs).toBe(clock.now());
  expect((await page(house)).status).toBe(200);
});
