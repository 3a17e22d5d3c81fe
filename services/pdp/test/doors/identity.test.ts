import { Effect } from "@remit/proto/common";
import { Session_State } from "@remit/proto/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

const START_MS = Date.parse("2026-03-01T09:00:00Z");
const clock = settableClock(START_MS);
let house: House;
let calls = 0;

beforeAll(async () => {
  house = await startHouse({ clock });
  await furnish(house);
});

afterAll(() => house.close());

const owner = () => ({ authorization: `Bearer ${house.ownerKey}` });

const read = (headers: Record<string, string>, callId = `call-${++calls}`) =>
  house.clients.decisions.decide(
    {
      callId,
      tool: "invoices.read",
      input: { case: "inputObject", value: {} },
      supportedConstraints: ["timeout", "maxOutputBytes"],
    },
    { headers },
  );

async function newKey(name: string, more: { roles?: string[]; agents?: string[]; mayAssertPrincipals?: boolean } = {}) {
  const { key, caller } = await house.clients.callers.createKey({ name, ...more }, { headers: owner() });
  return { key, id: caller?.id ?? "" };
}

test("nothing is anonymous: no key, a malformed one and an unknown one are refused alike", async () => {
  const { headers } = await openSession(house);
  const unknown = `Bearer rmt_${"A".repeat(43)}`;
  for (const authorization of ["", "Bearer", "Basic YTpi", "Bearer rmt_short", unknown]) {
    const refused = await failure(read({ ...headers, authorization }));
    expect(refused).toMatchObject({
      code: "Unauthenticated",
      detail: { reason: "token_invalid", field: "authorization" },
    });
  }
});

test("a session's token must be there, ours, whole and not run out", async () => {
  const { headers, token } = await openSession(house);
  const [head = "", claims = "", signature = ""] = token.split(".");
  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url").toString()), exp: 9e9 }));
  const none = Buffer.from('{"alg":"none","typ":"remit-session+jwt"}').toString("base64url");
  const bad = [
    "",
    "x",
    `${head}.${forged.toString("base64url")}.${signature}`,
    `${none}.${claims}.`,
    `${head}.${claims}.`,
  ];
  for (const wrong of bad) {
    const refused = await failure(read({ ...headers, "remit-session": wrong }));
    expect(refused).toMatchObject({
      code: "Unauthenticated",
      detail: { reason: "token_invalid", field: "remit-session" },
    });
  }
  clock.set(START_MS + 2 * 3_600_000);
  const late = await failure(read(headers));
  clock.set(START_MS);
  expect(late).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_expired" } });
});

test("renewing gives a token that counts when the first has run out", async () => {
  const { session, headers } = await openSession(house);
  clock.set(START_MS + 2 * 3_600_000);
  const renewed = await house.clients.sessions.renewSession({ sessionId: session.id }, { headers: owner() });
  const answer = await read({ ...headers, "remit-session": renewed.token });
  clock.set(START_MS);
  expect(answer.effect).toBe(Effect.ALLOW);
});

test("a session's token alone is not enough: another caller may not speak for it", async () => {
  const { headers } = await openSession(house);
  const { key } = await newKey("stranger", { agents: ["*"] });
  const refused = await failure(read({ ...headers, authorization: `Bearer ${key}` }));
  expect(refused).toMatchObject({ code: "PermissionDenied", detail: { reason: "session_not_yours" } });
});

test("a caller opens sessions for the agents it is bound to, and asserts principals only if it may", async () => {
  const { key: bound } = await newKey("bound", { agents: ["cl*"] });
  const { key: unbound } = await newKey("unbound", { agents: ["auditor"] });
  expect((await openSession(house, {}, bound)).session.agent).toBe("clerk");
  expect(await failure(openSession(house, {}, unbound))).toMatchObject({
    code: "PermissionDenied",
    detail: { reason: "agent_not_bound", field: "agent" },
  });
  const asserted = { onBehalfOf: { case: "principal" as const, value: { id: "mia" } } };
  expect(await failure(openSession(house, asserted, bound))).toMatchObject({
    code: "PermissionDenied",
    detail: { reason: "principal_not_assertable" },
  });
});

test("an agent that nobody registered has no sessions", async () => {
  expect(await failure(openSession(house, { agent: "ghost" }))).toMatchObject({
    code: "NotFound",
    detail: { reason: "agent_unknown", field: "agent" },
  });
});

test("the same run answers the same session, raced or not", async () => {
  const opened = await Promise.all(Array.from({ length: 8 }, () => openSession(house, { runId: "run-1" })));
  expect(new Set(opened.map(({ session }) => session.id)).size).toBe(1);
});

test("a closed session is a recorded denial at once", async () => {
  const { session, headers } = await openSession(house);
  expect((await read(headers)).effect).toBe(Effect.ALLOW);
  const closed = await house.clients.sessions.closeSession({ sessionId: session.id }, { headers: owner() });
  expect(closed.session?.state).toBe(Session_State.CLOSED);
  const answer = await read(headers);
  expect(answer).toMatchObject({ effect: Effect.DENY, reason: { code: "session_closed" } });
  expect(answer.record?.n).toBeGreaterThan(0n);
});

test("a session whose life is over is a recorded denial, whatever its token says", async () => {
  const { headers } = await openSession(house, { maxLifetimeSeconds: 60 });
  clock.set(START_MS + 59_000);
  expect((await read(headers)).effect).toBe(Effect.ALLOW);
  clock.set(START_MS + 61_000);
  const refused = await failure(read(headers));
  clock.set(START_MS);
  // The token never outlives its session, so it is the first to say so.
  expect(refused).toMatchObject({ detail: { reason: "token_expired" } });
});

test("a scope narrows what a session may ask for, and names what was exceeded", async () => {
  const { headers } = await openSession(house, {
    scope: {
      tools: ["payments.*"],
      bounds: [{ tool: "payments.*", path: "input.amount", limit: { case: "max", value: 100 } }],
    },
  });
  const pay = (amount: number) =>
    house.clients.decisions.decide(
      { callId: `pay-${amount}`, tool: "payments.transfer", input: { case: "inputObject", value: { amount } } },
      { headers },
    );
  expect((await pay(100)).effect).toBe(Effect.ALLOW);
  const over = await pay(101);
  expect(over.reason?.code).toBe("scope_exceeded");
  expect(over.reason?.message).toContain("input.amount");
  expect((await read(headers)).reason?.code).toBe("scope_exceeded");
});

test("what a session may not be opened with is refused, not ignored", async () => {
  expect(await failure(openSession(house, { budgets: ["travel"] }))).toMatchObject({
    code: "NotFound",
    detail: { reason: "budget_unknown", field: "budgets[0]" },
  });
  expect(await failure(openSession(house, { scope: { tools: [] } }))).toMatchObject({
    code: "InvalidArgument",
    detail: { field: "scope.tools" },
  });
});

test("revoking a key works at its next call, and a suspended agent is denied", async () => {
  const { key, id } = await newKey("short-lived", { agents: ["*"] });
  const { headers } = await openSession(house, {}, key);
  expect((await read(headers)).effect).toBe(Effect.ALLOW);
  await house.clients.callers.revokeKey({ callerId: id }, { headers: owner() });
  expect(await failure(read(headers))).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });

  const other = await openSession(house);
  const text = (status: string) =>
    `{apiVersion: remit/v1, kind: Agent, metadata: {name: clerk}, spec: {labels: {team: finance}, status: ${status}}}`;
  const put = (status: string) =>
    house.clients.agents.putAgent({ document: { file: "agent.yaml", text: text(status) } }, { headers: owner() });
  await put("suspended");
  const denied = await read(other.headers);
  await put("active");
  expect(denied).toMatchObject({ effect: Effect.DENY, reason: { code: "agent_suspended" } });
  expect((await read(other.headers)).effect).toBe(Effect.ALLOW);
});

test("every admin call asks for its role", async () => {
  const { key } = await newKey("viewer", { roles: ["viewer"] });
  const headers = { authorization: `Bearer ${key}` };
  const { agents, tools, policies, callers, ledger } = house.clients;
  expect((await tools.listTools({}, { headers })).tools.length).toBe(4);
  const document = { file: "x.yaml", text: "x" };
  const refused = await Promise.all(
    [
      agents.putAgent({ document }, { headers }),
      tools.putTool({ document }, { headers }),
      policies.publishPolicies({ files: [document] }, { headers }),
      policies.activatePolicies({ choices: [{ policy: "house" }] }, { headers }),
      callers.createKey({ name: "mine", roles: ["owner"] }, { headers }),
      callers.revokeKey({ callerId: "00000000-0000-4000-8000-000000000000" }, { headers }),
    ].map(failure),
  );
  expect(refused.map(({ code, detail }) => [code, detail.reason])).toEqual(
    Array.from({ length: 6 }, () => ["PermissionDenied", "role_missing"]),
  );
  const { key: none } = await newKey("roleless");
  const nobody = { headers: { authorization: `Bearer ${none}` } };
  expect(await failure(tools.listTools({}, nobody))).toMatchObject({ code: "PermissionDenied" });
  expect(await failure(ledger.getDecision({ decisionId: "x" }, nobody))).toMatchObject({ code: "PermissionDenied" });
});
