import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

// The second replica hears of a change long after each test is over, unless it is made to look.
const DEAF_MS = 5_000;

let database: TestDatabase;
let house: House;
let deaf: House;

beforeAll(async () => {
  database = await createTestDatabase();
  const config = testConfig(database.runtimeUrl);
  house = await startHouse({ database, config });
  await furnish(house);
  deaf = await startHouse({ database, config: { ...config, pollMs: DEAF_MS }, ownerKey: house.ownerKey });
});

afterAll(async () => {
  await deaf.close();
  await house.close();
  await database.drop();
});

const owner = () => ({ authorization: `Bearer ${house.ownerKey}` });

const read = (at: House, headers: Record<string, string>, callId: string, minRevision = 0n) =>
  at.clients.decisions.decide(
    {
      callId,
      tool: "invoices.read",
      input: { case: "inputObject", value: {} },
      supportedConstraints: ["timeout", "maxOutputBytes"],
      minRevision,
    },
    { headers },
  );

async function workload(name: string) {
  const made = await house.clients.callers.createKey({ name, agents: ["*"], roles: ["owner"] }, { headers: owner() });
  const opened = await openSession(house, {}, made.key);
  return { key: made.key, callerId: made.caller?.id ?? "", ...opened };
}

const suspend = (status: string) =>
  house.clients.agents.putAgent(
    {
      document: {
        file: "agent.yaml",
        text: `{apiVersion: remit/v1, kind: Agent, metadata: {name: clerk}, spec: {status: ${status}}}`,
      },
    },
    { headers: owner() },
  );

test("a revoked key does not pass by making a replica load newer policies than its own", async () => {
  const { headers, callerId } = await workload("asks-for-more");
  expect((await read(deaf, headers, "one")).effect).toBe(Effect.ALLOW);
  const { revision } = await house.clients.callers.revokeKey({ callerId }, { headers: owner() });
  const refused = await failure(read(deaf, headers, "two", revision));
  expect(refused).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
});

test("a revoked key opens nothing and changes nothing at a replica that has not heard of it", async () => {
  const { key, headers, callerId } = await workload("administers");
  expect((await read(deaf, headers, "one")).effect).toBe(Effect.ALLOW);
  await house.clients.callers.revokeKey({ callerId }, { headers: owner() });
  const by = { headers: { authorization: `Bearer ${key}` } };
  const tried = [
    openSession(deaf, {}, key),
    deaf.clients.callers.createKey({ name: "back-door", roles: ["owner"] }, by),
    deaf.clients.tools.listTools({}, by),
  ];
  for (const one of await Promise.all(tried.map(failure))) {
    expect(one).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
  }
});

test("an allowed call is not allowed again once its agent is suspended, at no replica", async () => {
  const { headers } = await openSession(house);
  expect((await read(deaf, headers, "again")).effect).toBe(Effect.ALLOW);
  await suspend("suspended");
  const here = await read(house, headers, "again");
  const there = await read(deaf, headers, "again");
  await suspend("active");
  for (const answer of [here, there]) {
    expect(answer).toMatchObject({ effect: Effect.DENY, replayed: true, reason: { code: "agent_suspended" } });
  }
  expect((await read(house, headers, "again")).effect).toBe(Effect.ALLOW);
});

test("an allowed call is not allowed again once its session is closed, at no replica", async () => {
  const { headers, session } = await openSession(house);
  expect((await read(deaf, headers, "again")).effect).toBe(Effect.ALLOW);
  await house.clients.sessions.closeSession({ sessionId: session.id }, { headers: owner() });
  for (const at of [house, deaf]) {
    const answer = await read(at, headers, "again");
    expect(answer).toMatchObject({ effect: Effect.DENY, replayed: true, reason: { code: "session_closed" } });
  }
});
