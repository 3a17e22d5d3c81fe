import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { type House, startHouse } from "../../services/pdp/test/support/pdp.ts";
import { createTestDatabase, withClient } from "../../services/pdp/test/support/test-database.ts";
import { createClient, type LogEvent } from "../src/index.ts";
import { startDemoHouse } from "./support/demo-house.ts";
import { until } from "./support/manual-timers.ts";

test("three replicas are restarted one after another under load: every guarded call runs once, none fails", async () => {
  const database = await createTestDatabase();
  const keyEncryptionKey = randomBytes(32).toString("base64");
  const first = await startDemoHouse({ database, overrides: { keyEncryptionKey } });
  const { ownerKey } = first;
  const start = (grpcAddress: string): Promise<House> =>
    startHouse({ database, ownerKey, overrides: { keyEncryptionKey, grpcAddress } });
  const houses = [first, await start("127.0.0.1:0"), await start("127.0.0.1:0")];
  const logged: LogEvent[] = [];
  const client = createClient({
    addresses: houses.map(({ pdp }) => pdp.grpcAddress),
    key: ownerKey,
    // A busy machine must not turn an answer into a denial.
    deadlineMs: 30_000,
    log: (event) => logged.push(event),
  });
  onTestFinished(async () => {
    await client.close();
    for (const house of houses) await house.close();
    await database.drop();
  });

  const sessions = await Promise.all(
    Array.from({ length: 4 }, (_, n) => client.openSession({ agent: "bookkeeper", runId: `run-${n}` })),
  );
  const read = client.tool("invoices.read", (_: { id: string }, { idempotencyKey }) => idempotencyKey);
  const ran: string[] = [];
  let over = false;
  const load = sessions.flatMap((session) =>
    [1, 2].map(async () => {
      while (!over) ran.push(await read(session, { id: "1" }));
    }),
  );
  for (const [at, house] of houses.entries()) {
    const { grpcAddress } = house.pdp;
    await house.close();
    houses[at] = await start(grpcAddress);
    const before = ran.length;
    await until(() => ran.length > before + 20);
  }
  over = true;
  await Promise.all(load);
  expect(await client.flush({ timeoutMs: 30_000 })).toBe(true);

  expect(new Set(ran).size).toBe(ran.length);
  const counted = "select kind, count(*)::int from record where kind in ('decision', 'report') group by 1 order by 1";
  const { rows } = await withClient(database.superuserUrl, (pg) => pg.query(counted));
  expect(rows).toEqual([
    { kind: "decision", count: ran.length },
    { kind: "report", count: ran.length },
  ]);
  expect(client.stats()).toMatchObject({ reportsRefused: 0, reportsLost: 0 });
  expect(logged.some(({ event }) => event === "stream_moved")).toBe(true);
});
