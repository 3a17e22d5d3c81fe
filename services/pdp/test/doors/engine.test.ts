import { engineVersion } from "@remit/engine";
import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { activateEngine } from "../../src/index.ts";
import { nameEngine } from "../../src/stores/engine.ts";
import { failure, furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

/* Which engine decides is data of the cell: a replica with another one decides nothing. */

const OTHER = "99.0.0";

let database: TestDatabase;
let house: House;
let config: ReturnType<typeof testConfig>;
let headers: Record<string, string>;
let calls = 0;

const ask = () => ({
  callId: `call-${++calls}`,
  tool: "invoices.read",
  input: { case: "inputObject" as const, value: {} },
  supportedConstraints: ["timeout", "maxOutputBytes"],
});
const decide = () => house.clients.decisions.decide(ask(), { headers });
const ready = async () => (await fetch(`http://${house.pdp.metricsAddress}/readyz`)).text();
const named = () =>
  withClient(database.ownerUrl, async (client) => (await client.query("select engine from cell")).rows[0]?.engine);
const otherDecides = {
  code: "Unavailable",
  detail: { reason: "engine_other", retryable: true },
};

beforeAll(async () => {
  database = await createTestDatabase();
  config = testConfig(database.runtimeUrl);
  house = await startHouse({ database, config });
  await furnish(house);
  ({ headers } = await openSession(house));
});

afterAll(async () => {
  await house.close();
  await database.drop();
});

test("the first start on an empty database names the engine of its build, and decides", async () => {
  expect(await named()).toBe(engineVersion);
  expect((await decide()).effect).toBe(Effect.ALLOW);
});

test("once another engine is named, no call asked later is decided here; reports and administrators go on", async () => {
  const before = await decide();
  expect(await nameEngine(database.ownerUrl, OTHER)).toBe(engineVersion);
  const refused = await failure(decide());
  expect(refused).toMatchObject(otherDecides);
  expect(refused.message).toContain(OTHER);
  expect(refused.message).toContain(engineVersion);
  await expect.poll(ready).toContain(`engine ${OTHER} decides in this cell`);
  const reported = await house.clients.decisions.report(
    { subject: { case: "decisionId", value: before.decisionId }, outcome: Outcome.SUCCEEDED },
    { headers },
  );
  expect(reported.outcome).toBe(Outcome.SUCCEEDED);
  const { tools } = await house.clients.tools.listTools({}, { headers: { authorization: `Bearer ${house.ownerKey}` } });
  expect(tools.length).toBeGreaterThan(0);
});

test("a replica that starts with another engine waits until its own is named, and no answer is lost", async () => {
  const second = await startHouse({ database, config, ownerKey: house.ownerKey });
  expect(await failure(second.clients.decisions.decide(ask(), { headers }))).toMatchObject(otherDecides);
  expect(await nameEngine(database.ownerUrl, engineVersion)).toBe(OTHER);
  await expect.poll(async () => (await second.clients.decisions.decide(ask(), { headers })).effect).toBe(Effect.ALLOW);
  await expect.poll(ready).toBe("ready\n");
  expect((await decide()).effect).toBe(Effect.ALLOW);
  await second.close();
});

test("a database that was there before engines were named decides by any", async () => {
  await withClient(database.ownerUrl, (client) =>
    client.query("with c as (update cell set engine = null) update revision set security = security + 1"),
  );
  expect((await decide()).effect).toBe(Effect.ALLOW);
  expect(await nameEngine(database.ownerUrl, engineVersion)).toBeUndefined();
  expect(await nameEngine(database.ownerUrl, engineVersion)).toBe(engineVersion);
});

test.each(["", "0.1.0; drop", "x".repeat(65)])("%j is no version: nothing changes", async (version) => {
  await expect(nameEngine(database.ownerUrl, version)).rejects.toMatchObject({ reason: "request_invalid" });
  expect(await named()).toBe(engineVersion);
});

test("naming one takes the role that owns the tables", async () => {
  await expect(nameEngine(database.runtimeUrl, OTHER)).rejects.toThrow(/permission denied/);
  await expect(activateEngine({ migrationUrl: undefined }, OTHER)).rejects.toMatchObject({
    reason: "request_invalid",
    detail: { fix: expect.stringContaining("REMIT_MIGRATION_URL") },
  });
});
