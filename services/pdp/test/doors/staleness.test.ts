import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, readInvoice, startHouse, testConfig } from "../support/pdp.ts";
import { type PgProxy, pgProxy } from "../support/pg-proxy.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

/** What the service calls the connection that it polls on. */
const FEED = "remit-feed";

let database: TestDatabase;
let proxy: PgProxy;
let house: House;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await pgProxy(database.runtimeUrl);
  house = await startHouse({ database, config: testConfig(proxy.url) });
  await furnish(house);
});

afterAll(async () => {
  await house.close();
  await proxy.close();
  await database.drop();
});

let calls = 0;
const ask = (tool: string, headers: Record<string, string>) =>
  house.clients.decisions.decide(
    { callId: `call-${++calls}`, tool, input: { case: "inputObject", value: { amount: 1 } } },
    { headers },
  );
const page = async (path: string) => (await fetch(`http://${house.pdp.metricsAddress}${path}`)).text();

test("with its poll swallowed a replica says how old it is, refuses what may write, and goes on once it hears again", async () => {
  const { headers } = await openSession(house);
  expect((await ask("payments.transfer", headers)).stalenessMs).toBeLessThan(2_000);
  expect(await page("/readyz")).toMatch(/^ready/);

  proxy.hold("toServer", FEED);
  // Everything else reaches Postgres: what is refused is refused because nobody knows what was taken away.
  await eventually(async () => (await page("/readyz")).includes("stale"));
  const reading = await readInvoice(house, headers, "reads");
  expect(reading.effect).toBe(Effect.ALLOW);
  expect(reading.stalenessMs).toBeGreaterThan(2_000);
  // One that writes, one that destroys, and one that nobody registered.
  for (const tool of ["payments.transfer", "records.delete", "unheard.of"]) {
    expect(await failure(ask(tool, headers))).toMatchObject({
      code: "Unavailable",
      detail: { reason: "stale_policy", retryable: true, limit: expect.stringContaining("2000 ms") },
    });
  }
  const [, seconds] = /^remit_staleness_seconds (\S+)$/m.exec(await page("/metrics")) ?? [];
  expect(Number(seconds)).toBeGreaterThan(2);

  proxy.resume("toServer");
  await eventually(async () => (await page("/readyz")).startsWith("ready"));
  expect((await ask("payments.transfer", headers)).effect).toBe(Effect.ALLOW);
}, 120_000);
