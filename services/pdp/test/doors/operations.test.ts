import { createServer } from "node:net";
import { expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { startPdp } from "../../src/index.ts";
import { failure, furnish, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { eventually } from "../support/processes.ts";
import { createEmptyDatabase, createTestDatabase, withClient } from "../support/test-database.ts";

const page = async (address: string, path: string, method = "GET") => {
  const response = await fetch(`http://${address}${path}`, { method });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
};

test("health, readiness and metrics are pages of their own listener", async () => {
  await using house = await startHouse();
  await furnish(house);
  const { headers } = await openSession(house);
  await house.clients.decisions.decide(
    { callId: "m", tool: "records.delete", input: { case: "inputObject", value: {} } },
    { headers },
  );
  const { metricsAddress, httpAddress } = house.pdp;
  expect(await page(metricsAddress, "/healthz")).toMatchObject({ status: 200, text: "alive\n" });
  expect(await page(metricsAddress, "/readyz")).toMatchObject({ status: 200, text: "ready\n" });
  const { text, type } = await page(metricsAddress, "/metrics");
  expect(type).toContain("text/plain");
  expect(text).toMatch(/remit_decide_seconds_count\{[^}]*effect="deny"[^}]*\} 1/);
  expect(text).toMatch(/remit_commit_seconds_count [1-9]/);
  expect(text).toContain("remit_staleness_seconds");
  expect(text).toMatch(/remit_sequencer_lag_seconds \d/);
  expect(text).toContain("remit_sequencer_stopped 0");
  // The session's and agent's names are in no label: metrics are read by people who may not know them.
  expect(text).not.toContain("clerk");
  expect((await page(metricsAddress, "/elsewhere")).status).toBe(404);
  expect((await page(metricsAddress, "/metrics", "POST")).status).toBe(405);
  expect((await page(httpAddress, "/metrics")).status).toBe(404);
});

test("a port in use is said with its address and what to change, and nothing is left open", async () => {
  const database = await createTestDatabase();
  const keyEncryptionKey = Buffer.alloc(32, 7).toString("base64");
  const holder = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  const { port } = holder.address() as { port: number };
  for (const key of ["httpAddress", "grpcAddress", "adminAddress", "metricsAddress"]) {
    const config = testConfig(database.runtimeUrl, { [key]: `127.0.0.1:${port}`, keyEncryptionKey });
    const refused = await startPdp({ config }).catch((error: Error) => error);
    expect(refused).toBeInstanceOf(Error);
    expect((refused as Error).message).toContain(`127.0.0.1:${port}`);
    expect((refused as Error).message).toContain("REMIT_");
  }
  // Postgres notices a closed connection a moment after it was closed.
  await withClient(database.superuserUrl, (client) =>
    eventually(async () => {
      const { rows } = await client.query(
        "select count(*)::int as connections from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
        [database.name],
      );
      return rows[0].connections === 0;
    }),
  );
  holder.close();
  // The owner's key, which is shown once, was not lost in a start that failed.
  const pdp = await startPdp({ config: testConfig(database.runtimeUrl, { keyEncryptionKey }) });
  expect(pdp.bootstrapKey).toMatch(/^rmt_/);
  await pdp.close();
  await database.drop();
});

test("a database without tables, or of a newer build, is refused with what to do", async () => {
  const empty = await createEmptyDatabase();
  await expect(startPdp({ config: testConfig(empty.runtimeUrl) })).rejects.toMatchObject({
    message: expect.stringContaining("no tables"),
    detail: { fix: expect.stringContaining("remit migrate") },
  });
  await empty.drop();
});

test("another Postgres than the one that recorded before stops the line", async () => {
  const database = await createTestDatabase();
  const first = await startHouse({ database });
  await first.close();
  await withClient(database.superuserUrl, (client) => client.query("update cell set timeline = timeline + 7"));
  await expect(startPdp({ config: testConfig(database.runtimeUrl) })).rejects.toMatchObject({ reason: "cell_changed" });
  await database.drop();
});

test("in production a Postgres that may forget is refused", async () => {
  const database = await createTestDatabase();
  const config = testConfig(database.runtimeUrl, { mode: "production" });
  await expect(startPdp({ config })).rejects.toMatchObject({ reason: "store_not_durable" });
  await database.drop();
});

test("a restart keeps keys, sessions, policies and decisions, and prints no second owner key", async () => {
  const database = await createTestDatabase();
  const overrides = { keyEncryptionKey: Buffer.alloc(32, 7).toString("base64") };
  const first = await startHouse({ database, overrides });
  await furnish(first);
  const { headers } = await openSession(first);
  const call = {
    callId: "kept",
    tool: "payments.transfer",
    input: { case: "inputObject", value: { amount: 3 } },
  } as const;
  const before = await first.clients.decisions.decide(call, { headers });
  await first.close();

  const second = await startHouse({ database, overrides, ownerKey: first.ownerKey });
  expect(second.pdp.bootstrapKey).toBeUndefined();
  // Nobody asked yet: a tenant with living sessions is loaded before anybody is let in.
  expect((await page(second.pdp.metricsAddress, "/metrics")).text).toMatch(/^remit_rules [1-9]/m);
  const after = await second.clients.decisions.decide(call, { headers });
  expect({ ...after, replayed: false, stalenessMs: before.stalenessMs }).toEqual(before);
  await second.close();
  const otherKey = startPdp({ config: testConfig(database.runtimeUrl) });
  await expect(otherKey).rejects.toMatchObject({
    reason: "key_encryption_key_unknown",
    detail: { fix: expect.stringContaining("REMIT_KEY_ENCRYPTION_KEY") },
  });
  await database.drop();
});

test("closing answers what was taken, refuses the rest, and closing twice is closing once", async () => {
  const house = await startHouse();
  await furnish(house);
  const { headers } = await openSession(house);
  // As many as one session may have in flight.
  const asked = Array.from({ length: limits.callsInFlightPerSessionMax }, (_, at) =>
    house.clients.decisionsByGrpc.decide(
      { callId: `flight-${at}`, tool: "records.delete", input: { case: "inputObject", value: {} } },
      { headers },
    ),
  );
  await asked[0];
  await Promise.all([house.pdp.close(), house.pdp.close()]);
  const settled = await Promise.allSettled(asked.map((one) => failure(one).catch(() => "answered")));
  const outcomes = settled.map((one) =>
    one.status === "fulfilled" && one.value !== "answered" ? one.value : "answered",
  );
  const answered = outcomes.filter((outcome) => outcome === "answered").length;
  const refusals = outcomes.filter((outcome) => outcome !== "answered");
  expect(refusals.filter((refusal) => typeof refusal === "string" || refusal.code !== "Unavailable")).toEqual([]);
  const records = await withClient(house.database.superuserUrl, async (client) => {
    const { rows } = await client.query("select count(*)::int as records from record where kind = 'decision'");
    return rows[0].records as number;
  });
  expect(answered).toBeGreaterThan(0);
  expect(records).toBe(answered);
  await expect(fetch(`http://${house.pdp.httpAddress}/`)).rejects.toThrow();
  await house.database.drop();
});
