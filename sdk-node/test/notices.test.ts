import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { House } from "../../services/pdp/test/support/pdp.ts";
import { startHouse } from "../../services/pdp/test/support/pdp.ts";
import { createTestDatabase, type TestDatabase } from "../../services/pdp/test/support/test-database.ts";
import { type Client, createClient, DeniedError, type Notice, type Session } from "../src/index.ts";
import { startDemoHouse } from "./support/demo-house.ts";
import { rejection } from "./support/harness.ts";
import { until } from "./support/manual-timers.ts";

let database: TestDatabase;
let here: House;
let there: House;

beforeAll(async () => {
  database = await createTestDatabase();
  const overrides = { keyEncryptionKey: randomBytes(32).toString("base64") };
  here = await startDemoHouse({ database, overrides });
  there = await startHouse({ database, overrides, ownerKey: here.ownerKey });
});

afterAll(async () => {
  await there.close();
  await here.close();
  await database.drop();
});

const call = { tool: "invoices.read", input: { id: "1" } };
const headers = () => ({ authorization: `Bearer ${here.ownerKey}` });

/** A client of one replica, and what it was told unasked. */
function connect(house: House) {
  const notices: Notice[] = [];
  const client = createClient({
    address: house.pdp.grpcAddress,
    key: here.ownerKey,
    deadlineMs: 30_000,
    hedgeMs: 20_000,
    onNotice: (notice) => notices.push(notice),
  });
  onTestFinished(() => client.close());
  return { client, notices };
}

/** A call that runs until it is told to stop. */
function runUntilStopped(client: Client, session: Session) {
  const seen = { decisionId: "" };
  const running = client.guard(session, call, (_, { signal, idempotencyKey }) => {
    seen.decisionId = idempotencyKey;
    return new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });
  return { seen, stopped: rejection(running, DeniedError) };
}

async function reportsOf(decisionId: string) {
  const { reports } = await here.clients.ledger.getDecision({ decisionId }, { headers: headers() });
  return reports.map(({ body }) => body);
}

test("a session that is closed at another replica stops its running call, and the ledger says so", async () => {
  const { client, notices } = connect(there);
  const elsewhere = connect(here);
  const session = await client.openSession({ agent: "bookkeeper", runId: "closed-elsewhere" });
  const { seen, stopped } = runUntilStopped(client, session);
  await until(() => seen.decisionId !== "");
  const taken = await elsewhere.client.adoptSession(session.id);
  await taken.close();
  expect(await stopped).toMatchObject({ code: "session_closed", decisionId: seen.decisionId });
  await until(() => session.endedBecause !== undefined);
  expect(session.endedBecause).toBe("session_closed");
  expect(await client.flush({ timeoutMs: 30_000 })).toBe(true);
  expect(await reportsOf(seen.decisionId)).toEqual([
    expect.objectContaining({ outcome: "unknown", labels: ["cancelled:session_closed"] }),
  ]);
  expect(notices.map(({ kind }) => kind)).toEqual(["call_cancel", "session_ended"]);
  const denied = await rejection(
    client.guard(session, call, () => "ran"),
    DeniedError,
  );
  expect(denied).toMatchObject({ code: "session_closed", local: true });
});

test("a client that closes its own session lets its running calls end", async () => {
  const { client, notices } = connect(there);
  const session = await client.openSession({ agent: "bookkeeper", runId: "closed-here" });
  const gate = Promise.withResolvers<string>();
  let started = false;
  const running = client.guard(session, call, async (_, { signal }) => {
    started = true;
    await gate.promise;
    return signal.aborted ? "stopped" : "ended";
  });
  await until(() => started);
  await session.close();
  // What is closed later is heard of later.
  const other = await client.openSession({ agent: "bookkeeper", runId: "other" });
  await client.decide(other, call);
  await (await connect(here).client.adoptSession(other.id)).close();
  await until(() => other.endedBecause !== undefined);
  gate.resolve("");
  expect(await running).toBe("ended");
  expect(await client.flush({ timeoutMs: 30_000 })).toBe(true);
  expect(client.stats()).toMatchObject({ reportsRefused: 0, reportsLost: 0 });
  expect(notices.filter(({ kind }) => kind === "session_ended")).toEqual([
    { kind: "session_ended", sessionId: other.id, code: "session_closed" },
  ]);
});

test("a suspended agent's calls stop; its session goes on once the agent is back", async () => {
  const { client, notices } = connect(there);
  const session = await client.openSession({ agent: "bookkeeper", runId: "suspended" });
  const put = (status: string) => {
    const spec = `{ status: ${status}, ceiling: { tools: ["*"] } }`;
    const text = `apiVersion: remit/v1\nkind: Agent\nmetadata: { name: bookkeeper, owner: finance }\nspec: ${spec}\n`;
    return here.clients.agents.putAgent({ document: { file: "agent.yaml", text } }, { headers: headers() });
  };
  const { seen, stopped } = runUntilStopped(client, session);
  await until(() => seen.decisionId !== "");
  await put("suspended");
  expect(await stopped).toMatchObject({ code: "agent_suspended" });
  const denied = await rejection(
    client.guard(session, call, () => "ran"),
    DeniedError,
  );
  expect(denied).toMatchObject({ code: "agent_suspended", local: false });
  await put("active");
  let ran = "";
  while (ran === "") ran = await client.guard(session, call, () => "ran").catch(() => "");
  expect(ran).toBe("ran");
  expect(session.endedBecause).toBeUndefined();
  expect(new Set(notices.map(({ kind }) => kind))).toEqual(new Set(["call_cancel", "session_ended"]));
});

test("a halted session's calls stop, and their reports say why; it goes on once the halt is released", async () => {
  const { client, notices } = connect(there);
  const session = await client.openSession({ agent: "bookkeeper", runId: "halted", labels: { wing: "east" } });
  const { seen, stopped } = runUntilStopped(client, session);
  await until(() => seen.decisionId !== "");
  const subject = { case: "labels", value: { matchLabels: { wing: "east" } } } as const;
  const { revocations } = here.clients;
  const halt = await revocations.revoke({ subject: { subject }, reason: "INC-7" }, { headers: headers() });
  expect(await stopped).toMatchObject({ code: "halted" });
  const denied = await rejection(
    client.guard(session, call, () => "ran"),
    DeniedError,
  );
  expect(denied).toMatchObject({ code: "halted", local: false });
  await client.flush();
  expect(await reportsOf(seen.decisionId)).toMatchObject([{ labels: ["cancelled:halted"], revoked: "halted" }]);
  const released = { revocationId: halt.revocation?.id ?? "", reason: "mended" };
  await revocations.lift(released, { headers: headers() });
  expect(await client.guard(session, call, () => "ran")).toBe("ran");
  expect(session.endedBecause).toBeUndefined();
  expect(notices).toContainEqual({ kind: "halted", sessionId: session.id, reason: expect.any(String) });
});
