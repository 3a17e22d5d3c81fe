import { expect, test } from "vitest";
import { RemitError } from "../src/index.ts";
import { allow, sessionAnswer } from "./support/answers.ts";
import { harness, rejection } from "./support/harness.ts";
import { until } from "./support/manual-timers.ts";

test("a session is opened with all that was asked for", async () => {
  const { server, client } = await harness();
  const session = await client.openSession({
    agent: "support",
    principal: { id: "ada", labels: { team: "eu" } },
    purpose: "refunds",
    runId: "r7",
    labels: { a: "b" },
    budgets: ["monthly"],
    maxLifetimeSeconds: 60,
    model: "m1",
    scope: {
      tools: ["payments.*"],
      bounds: [
        { tool: "payments.*", path: "input.amount", max: 50 },
        { tool: "payments.*", path: "input.owner", equals: "principal.id" },
        { tool: "payments.*", path: "input.currency", in: ["EUR"] },
      ],
      labels: { pci: "no" },
      maxDepth: 1,
      expiresAt: new Date(1_000),
    },
  });
  expect(session).toMatchObject({ id: "session-r7", agent: "support", principal: { id: "ada", verified: false } });
  expect(JSON.stringify(session)).not.toContain("token");
  expect(server.openings[1]).toMatchObject({
    agent: "support",
    onBehalfOf: { case: "principal", value: { id: "ada", labels: { team: "eu" } } },
    purpose: "refunds",
    runId: "r7",
    budgets: ["monthly"],
    maxLifetimeSeconds: 60,
    model: "m1",
    scope: {
      tools: ["payments.*"],
      bounds: [
        { limit: { case: "max", value: 50 } },
        { limit: { case: "equalsLiteral", value: { kind: { case: "stringValue", value: "principal.id" } } } },
        { limit: { case: "inLiterals", value: { values: [{ kind: { case: "stringValue", value: "EUR" } }] } } },
      ],
      maxDepth: 1,
      expiresAt: { seconds: 1n },
    },
  });
});

test("a principal is proved or asserted, not both; an opening that Remit refuses is thrown as it said it", async () => {
  const { server, client } = await harness();
  const both = { agent: "a", principal: { id: "ada" }, subjectToken: "jwt" };
  expect(await rejection(client.openSession(both), RemitError)).toMatchObject({ field: "principal" });
  await client.openSession({ agent: "a", subjectToken: "jwt" });
  expect(server.openings.at(-1)?.onBehalfOf).toEqual({ case: "subjectToken", value: "jwt" });
  server.onOpen = () => ({ fail: { code: 7, message: "not yours", reason: "agent_not_bound" } });
  expect(await rejection(client.openSession({ agent: "b" }), RemitError)).toMatchObject({
    status: "PERMISSION_DENIED",
    reason: "agent_not_bound",
  });
});

test("an opening without a run id gets one, so that a lost answer can be asked for again", async () => {
  const { server, client, timers } = await harness();
  let refusals = 2;
  const open = server.onOpen;
  server.onOpen = (request) =>
    refusals-- > 0
      ? { fail: { code: 14, message: "later", reason: "ledger_unavailable", retryable: true } }
      : open(request);
  let opened = false;
  const opening = client.openSession({ agent: "support" }).finally(() => {
    opened = true;
  });
  await timers.advanceUntil(() => opened);
  await opening;
  const ids = server.openings.slice(1).map(({ runId }) => runId);
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
});

test("a token is renewed before it expires, and attached anew", async () => {
  const { server, session, client, timers } = await harness();
  await client.decide(session, { tool: "read", input: {} });
  // Three quarters of its hour are over: this call still uses it, and has it renewed.
  timers.advance(46 * 60_000);
  await client.decide(session, { tool: "read", input: {} });
  await until(() => server.renewals.length === 1);
  await until(() => server.streams[0]?.handles.size === 2);
  await client.decide(session, { tool: "read", input: {} });
  expect(server.decides.map(({ token }) => token)).toEqual(["token-r1-1", "token-r1-1", `token-${session.id}-2`]);
  expect(server.renewals).toEqual([session.id]);
});

test("a token that has expired is renewed first; the call waits for that and goes on", async () => {
  const { server, session, client, timers } = await harness();
  timers.advance(2 * 3_600_000);
  await client.decide(session, { tool: "read", input: {} });
  expect(server.renewals).toHaveLength(1);
  expect(server.decides.map(({ token }) => token)).toEqual([`token-${session.id}-2`]);
});

test("where the clocks differ, Remit's word that a token has expired renews it, and the call is asked again", async () => {
  const { server, session, client } = await harness();
  server.onAttach = (token) =>
    token === "token-r1-1" ? { code: 16, message: "the token has expired", reason: "token_expired" } : undefined;
  expect(await client.decide(session, { tool: "read", input: {} })).toMatchObject({ effect: "allow" });
  expect(server.renewals).toHaveLength(1);
});

test("a session that cannot be renewed any more denies its calls with the reason", async () => {
  const { server, session, client, timers } = await harness();
  server.onRenew = () => ({ fail: { code: 9, message: "it was closed", reason: "session_closed" } });
  timers.advance(2 * 3_600_000);
  const decision = await client.decide(session, { tool: "read", input: {} });
  expect(decision).toMatchObject({ effect: "deny", local: true, reason: { code: "session_closed" } });
  expect(session.endedBecause).toBe("session_closed");
});

test("a closed session lets no call in, and Remit is told", async () => {
  const { server, session, client } = await harness();
  await client.decide(session, { tool: "read", input: {} });
  await session.close();
  expect(server.closings).toEqual([session.id]);
  const decision = await client.decide(session, { tool: "read", input: {} });
  expect(decision).toMatchObject({ effect: "deny", local: true, reason: { code: "session_closed" } });
});

test("a session of another process is taken over by its id, and a paused call goes on in it", async () => {
  const { server, session, connect } = await harness();
  server.onRenew = (id) => sessionAnswer(id, "token-adopted", Date.UTC(2026, 10, 21, 1));
  const elsewhere = connect();
  const adopted = await elsewhere.adoptSession(session.id);
  expect(adopted.id).toBe(session.id);
  server.onDecide = ({ request }) => allow(request);
  expect(await elsewhere.guard(adopted, { tool: "pay", input: {}, callId: "c1" }, () => "ran")).toBe("ran");
  expect(server.decides[0]?.token).toBe("token-adopted");
  expect(await rejection(elsewhere.decide(session, { tool: "pay", input: {} }), RemitError)).toMatchObject({
    field: "session",
  });
});
