import { Effect } from "@remit/proto/common";
import { afterEach, beforeEach, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { type PgProxy, pgProxy } from "../support/pg-proxy.ts";
import { plainBodies } from "../support/plain-bodies.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
let proxy: PgProxy;
let house: House;
let headers: Record<string, string>;

beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await pgProxy(database.runtimeUrl);
  house = await startHouse({ database, databaseUrl: proxy.url });
  await furnish(house);
  ({ headers } = await openSession(house));
});

afterEach(async () => {
  proxy.resume("toClient");
  proxy.resume("toServer");
  proxy.refuse(false);
  await house.close();
  await proxy.close();
  await database.drop();
});

const read = (callId: string) =>
  house.clients.decisions.decide(
    {
      callId,
      tool: "invoices.read",
      input: { case: "inputObject", value: { callId } },
      supportedConstraints: ["timeout", "maxOutputBytes"],
    },
    { headers },
  );

const recorded = async (callId: string) => {
  const bodies = await plainBodies(house, "kind = 'decision'");
  return bodies.filter((body) => JSON.parse(body).call.id === callId).length;
};

const ready = async () => (await fetch(`http://${house.pdp.metricsAddress}/readyz`)).status === 200;

test("no answer leaves while Postgres, which has the record, holds back its acknowledgement", async () => {
  await read("before");
  proxy.hold("toClient");
  let answered = false;
  const asked = read("held").finally(() => {
    answered = true;
  });
  // Postgres has received the insert, committed it, and says so into a pipe that nobody reads.
  await eventually(async () => (await recorded("held")) === 1);
  expect(answered).toBe(false);
  proxy.resume("toClient");
  expect((await asked).effect).toBe(Effect.ALLOW);
});

test("no answer leaves while the insert waits inside Postgres", async () => {
  await read("before");
  await withClient(database.superuserUrl, async (blocker) => {
    await blocker.query("begin isolation level read committed");
    await blocker.query("select writer from writer where alive for no key update");
    let answered = false;
    const asked = read("blocked").finally(() => {
      answered = true;
    });
    await eventually(async () => {
      const { rows } = await blocker.query("select count(*)::int as waiting from pg_locks where not granted");
      return rows[0].waiting > 0;
    });
    expect(answered).toBe(false);
    expect(await recorded("blocked")).toBe(0);
    await blocker.query("rollback");
    expect((await asked).effect).toBe(Effect.ALLOW);
  });
});

test("Postgres away: UNAVAILABLE, nothing unrecorded, not ready, alive; and it goes on by itself", async () => {
  await read("before");
  proxy.refuse(true);
  proxy.cut();
  const refused = await failure(read("away"));
  expect(refused).toMatchObject({ code: "Unavailable", detail: { reason: "ledger_unavailable", retryable: true } });
  expect(refused.detail.fix).toContain("call_id");
  await eventually(async () => !(await ready()));
  expect((await fetch(`http://${house.pdp.metricsAddress}/healthz`)).status).toBe(200);
  expect(await recorded("away")).toBe(0);

  proxy.refuse(false);
  await eventually(ready);
  expect((await read("away")).effect).toBe(Effect.ALLOW);
  expect(await recorded("away")).toBe(1);
});

test("Postgres away: what must be read first is UNAVAILABLE too, on both planes", async () => {
  proxy.refuse(true);
  proxy.cut();
  const by = { headers: { authorization: headers.authorization ?? "" } };
  const failures = await Promise.all([
    failure(openSession(house)),
    failure(house.clients.sessions.getSession({ sessionId: "01890000-0000-7000-8000-000000000000" }, by)),
    failure(house.clients.callers.listCallers({}, by)),
  ]);
  for (const one of failures) {
    expect(one).toMatchObject({ code: "Unavailable", detail: { reason: "ledger_unavailable", retryable: true } });
  }
});

test("an answer lost between Postgres and us is found under a new writer, and recorded once", async () => {
  const before = await read("before");
  proxy.hold("toClient");
  const asked = read("lost");
  await eventually(async () => (await recorded("lost")) === 1);
  proxy.cut();
  proxy.resume("toClient");
  const answer = await asked.catch(() => read("lost"));
  expect(answer.effect).toBe(Effect.ALLOW);
  expect(await recorded("lost")).toBe(1);
  expect(answer.record?.epoch).toBeGreaterThan(0n);
  const after = await read("after");
  expect(after.effect).toBe(Effect.ALLOW);
  expect(before.effect).toBe(Effect.ALLOW);
});

test("an answer that its caller did not wait for is found when it asks again, on either lane, and recorded once", async () => {
  await read("before");
  proxy.hold("toClient");
  const call = (callId: string) =>
    ({ callId, tool: "fs.write_file", input: { case: "inputObject", value: { path: "/workspace/a" } } }) as const;
  const { decisions, decisionsByGrpc } = house.clients;
  const impatient = [
    failure(decisions.decide(call("unheard-1"), { headers, timeoutMs: 200 })),
    failure(decisionsByGrpc.decide(call("unheard-2"), { headers, timeoutMs: 200 })),
  ];
  for (const one of await Promise.all(impatient)) expect(one.code).toBe("DeadlineExceeded");
  await eventually(async () => (await recorded("unheard-1")) === 1 && (await recorded("unheard-2")) === 1);
  proxy.resume("toClient");
  for (const callId of ["unheard-1", "unheard-2"]) {
    const found = await decisions.decide(call(callId), { headers });
    expect(found).toMatchObject({ effect: Effect.ALLOW, replayed: true, attempt: 1 });
    expect(await recorded(callId)).toBe(1);
  }
});
