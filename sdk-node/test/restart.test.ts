import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { startHouse } from "../../services/pdp/test/support/pdp.ts";
import { createTestDatabase } from "../../services/pdp/test/support/test-database.ts";
import { createClient, type LogEvent } from "../src/index.ts";
import { startDemoHouse } from "./support/demo-house.ts";
import { until } from "./support/manual-timers.ts";

test("a client lives through a restart of its service: what ran meanwhile is reported, and its session goes on", async () => {
  const database = await createTestDatabase();
  const keyEncryptionKey = randomBytes(32).toString("base64");
  const first = await startDemoHouse({ database, overrides: { keyEncryptionKey } });
  const { ownerKey, pdp } = first;
  const logged: LogEvent[] = [];
  const client = createClient({
    address: pdp.grpcAddress,
    key: ownerKey,
    deadlineMs: 30_000,
    hedgeMs: 20_000,
    log: (event) => logged.push(event),
  });
  const session = await client.openSession({ agent: "bookkeeper", principal: { id: "ada@acme.example" } });
  const gate = Promise.withResolvers<string>();
  let decisionId = "";
  const call = { tool: "invoices.read", input: { id: "1" } };
  const running = client.guard(session, call, (_, { idempotencyKey }) => {
    decisionId = idempotencyKey;
    return gate.promise;
  });
  await until(() => decisionId !== "");

  await first.close();
  gate.resolve("read");
  expect(await running).toBe("read");
  await until(() => logged.some(({ event }) => event === "reports_wait"));

  const second = await startHouse({
    database,
    ownerKey,
    overrides: { keyEncryptionKey, grpcAddress: pdp.grpcAddress },
  });
  onTestFinished(async () => {
    await client.close();
    await second.close();
    await database.drop();
  });
  await until(() => client.stats().reportsQueued === 0);
  expect(await client.guard(session, call, () => "again")).toBe("again");

  const headers = { authorization: `Bearer ${ownerKey}` };
  const { reports } = await second.clients.ledger.getDecision({ decisionId }, { headers });
  expect(reports.map(({ body }) => body)).toEqual([
    expect.objectContaining({ outcome: "succeeded", input_matches: true }),
  ]);
  expect(client.stats()).toMatchObject({ reportsRefused: 0, reportsLost: 0 });
});
