import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { Session_State } from "@remit/proto/session";
import { TenantStatus } from "@remit/proto/tenant";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;
/** The same cell, seen by the owner of `acme`. */
let acme: House;
let calls = 0;

beforeAll(async () => {
  house = await startHouse();
  const { ownerKey } = await house.clients.tenants.createTenant({ tenant: "acme" }, { headers: operator() });
  acme = { ...house, ownerKey };
  await furnish(acme);
});

afterAll(() => house.close());

const operator = () => ({ authorization: `Bearer ${house.ownerKey}` });
const owner = () => ({ authorization: `Bearer ${acme.ownerKey}` });

const set = (status: TenantStatus) =>
  house.clients.tenants.updateTenant({ tenant: "acme", status }, { headers: operator() });

const ask = (callId = `call-${++calls}`) => ({
  callId,
  tool: "invoices.read",
  input: { case: "inputObject" as const, value: {} },
  supportedConstraints: ["timeout", "maxOutputBytes"],
});

const statuses = [
  ["tenant_suspended", TenantStatus.SUSPENDED],
  ["tenant_closing", TenantStatus.CLOSING],
] as const;

test.each(statuses)(
  "of a tenant that is %s nothing runs, on any door, from the moment it is said",
  async (code, status) => {
    const { decisions, sessions } = acme.clients;
    const { headers, session, token } = await openSession(acme, { runId: code });
    const before = await decisions.decide(ask(`before-${code}`), { headers });
    expect(before.effect).toBe(Effect.ALLOW);
    await set(status);
    try {
      const refused = { effect: Effect.DENY, reason: { code, retryable: false } };
      expect(await decisions.decide(ask(), { headers })).toMatchObject(refused);
      expect(await decisions.decide(ask(`before-${code}`), { headers }), "allowed before").toMatchObject(refused);
      const { items } = await decisions.decideBatch({ items: [ask()] }, { headers });
      expect(items[0]?.outcome.value).toMatchObject(refused);
      const explained = await decisions.explain({ call: ask() }, { headers });
      expect(explained.verdict).toMatchObject(refused);
      const nothingNew = { code: "FailedPrecondition", detail: { reason: code } };
      expect(await failure(openSession(acme))).toMatchObject(nothingNew);
      expect(await failure(openSession(acme, { runId: code }))).toMatchObject(nothingNew);
      const { id: sessionId } = session;
      expect(await failure(sessions.renewSession({ sessionId }, { headers: owner() }))).toMatchObject(nothingNew);
      expect(await failure(sessions.getSession({ sessionId }, { headers: owner() }))).toMatchObject(nothingNew);
      const told = await decisions.report(
        { subject: { case: "decisionId", value: before.decisionId }, outcome: Outcome.SUCCEEDED },
        { headers },
      );
      expect(told.replayed).toBe(false);
      const closed = await sessions.closeSession({ sessionId }, { headers: owner() });
      expect(closed.session?.state).toBe(Session_State.CLOSED);
      expect(token).not.toBe("");
    } finally {
      await set(TenantStatus.ACTIVE);
    }
    const { headers: next } = await openSession(acme);
    expect((await decisions.decide(ask(), { headers: next })).effect).toBe(Effect.ALLOW);
  },
);

test("what its administrators may still do is to look, and to end keys", async () => {
  const { agents, callers, ledger, policies, tenants, tools } = acme.clients;
  const { headers } = await openSession(acme);
  const decided = await acme.clients.decisions.decide(ask(), { headers });
  const { caller } = await callers.createKey({ name: "to end" }, { headers: owner() });
  await set(TenantStatus.SUSPENDED);
  try {
    const by = { headers: owner() };
    expect((await agents.listAgents({}, by)).agents).toHaveLength(1);
    expect((await tools.listTools({}, by)).tools).toHaveLength(4);
    expect((await policies.listPolicies({}, by)).versions).toHaveLength(1);
    expect((await callers.listCallers({}, by)).callers).toHaveLength(2);
    expect((await tenants.getTenant({}, by)).tenant?.status).toBe(TenantStatus.SUSPENDED);
    expect((await ledger.getDecision({ decisionId: decided.decisionId }, by)).decision?.id).toBe(decided.decisionId);
    const refused = { code: "FailedPrecondition", detail: { reason: "tenant_suspended" } };
    expect(await failure(callers.createKey({ name: "more" }, by))).toMatchObject(refused);
    const agent = "apiVersion: remit/v1\nkind: Agent\nmetadata: { name: another }\nspec: {}\n";
    expect(await failure(agents.putAgent({ document: { file: "a.yaml", text: agent } }, by))).toMatchObject(refused);
    expect(await failure(policies.activatePolicies({ choices: [{ policy: "house" }] }, by))).toMatchObject(refused);
    expect((await callers.revokeKey({ callerId: caller?.id ?? "" }, by)).caller?.revoked).toBe(true);
  } finally {
    await set(TenantStatus.ACTIVE);
  }
});

test("its neighbours notice nothing", async () => {
  await set(TenantStatus.SUSPENDED);
  try {
    await furnish(house);
    const { headers } = await openSession(house);
    expect((await house.clients.decisions.decide(ask(), { headers })).effect).toBe(Effect.ALLOW);
  } finally {
    await set(TenantStatus.ACTIVE);
  }
});
