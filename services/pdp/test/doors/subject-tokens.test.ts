import { Effect } from "@remit/proto/common";
import { Session_State } from "@remit/proto/session";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startIssuer, type TestIssuer } from "../support/issuer.ts";
import { failure, furnish, type House, openSession, readInvoice, startHouse } from "../support/pdp.ts";
import { putBinding, putIssuer } from "../support/trusting.ts";

const aud = "https://shop.example";
const invalid = { code: "Unauthenticated", detail: { reason: "token_invalid", field: "subject_token" } };

let house: House;
let issuer: TestIssuer;
/** A key that is bound to the agent and may assert nobody. */
let key: string;
beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  issuer = await startIssuer();
  await putIssuer(house, {
    ...{ name: "customers", use: "principals", issuer: issuer.url, audiences: [aud], principalPrefix: "shop:" },
    ...{ sessionSecondsMax: 7200, claims: { labels: { tier: "tier", region: "/address/country" } } },
  });
  await putIssuer(house, { name: "machines", issuer: issuer.url });
  await putBinding(house, { name: "machines", issuer: "machines", subject: "**", agents: ["clerk"] });
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  ({ key } = await house.clients.callers.createKey({ name: "shop", agents: ["clerk"] }, { headers }));
});
afterAll(async () => {
  await house.close();
  await issuer[Symbol.asyncDispose]();
});

const subject = (claims: object = {}) => issuer.token({ sub: "mia", aud, ...claims });
const open = (subjectToken: string, more: object = {}, caller = key) =>
  openSession(house, { onBehalfOf: { case: "subjectToken", value: subjectToken }, ...more }, caller);

test("a subject token proves the principal, with the labels that the issuer's claims are mapped to", async () => {
  const { session, headers } = await open(await subject({ tier: "gold", address: { country: "AT" }, admin: true }));
  expect(session.principal).toMatchObject({
    ...{ id: "shop:mia", verified: true, labels: { tier: "gold", region: "AT" } },
  });
  const { decisionId, effect } = await readInvoice(house, headers, "verified");
  expect(effect).toBe(Effect.ALLOW);
  const owner = { headers: { authorization: `Bearer ${house.ownerKey}` } };
  const { decision } = await house.clients.ledger.getDecision({ decisionId }, owner);
  expect(decision?.body).toMatchObject({ principal: { id: "shop:mia", verified: true } });
});

test("who acted for the principal before is kept whole and recorded innermost", async () => {
  const act = {
    iss: "https://a.example",
    sub: "app",
    act: { iss: "https://b.example", sub: "bot", sub_profile: "ai_agent" },
  };
  const { headers } = await open(await subject({ act }));
  const { decisionId } = await readInvoice(house, headers, "acted");
  const owner = { headers: { authorization: `Bearer ${house.ownerKey}` } };
  const { decision } = await house.clients.ledger.getDecision({ decisionId }, owner);
  expect(decision?.body).toMatchObject({ act: { sub: "clerk", sub_profile: "ai_agent", act } });
});

test.each<[string, object]>([
  ["deeper than is kept", nested(9)],
  ["without an issuer", { sub: "app" }],
  ["of another form", { iss: "https://a.example", sub: "app", act: "bot" }],
])("a chain of actors %s is refused, never cut", async (_what, act) => {
  expect(await failure(open(await subject({ act })))).toMatchObject(invalid);
});

function nested(depth: number): object {
  return { iss: "https://a.example", sub: `${depth}`, ...(depth > 1 && { act: nested(depth - 1) }) };
}

test("a token that names its actor is taken from that one alone", async () => {
  const mayAct = { iss: issuer.url, sub: "machine-1" };
  const token = await subject({ may_act: mayAct });
  expect(await failure(open(token))).toMatchObject({ code: "PermissionDenied", detail: { reason: "actor_not_meant" } });
  const machine = (sub: string) => issuer.token({ sub, aud: "remit:default" });
  expect(await failure(open(token, {}, await machine("machine-2")))).toMatchObject({
    detail: { reason: "actor_not_meant" },
  });
  expect((await open(token, {}, await machine("machine-1"))).session.principal?.id).toBe("shop:mia");
});

test("a subject token calls nobody, and a caller's token is nobody's subject", async () => {
  const machine = await issuer.token({ sub: "machine-1", aud: "remit:default" });
  expect(await failure(open(machine, {}, machine))).toMatchObject(invalid);
  expect(await failure(openSession(house, {}, await subject()))).toMatchObject({
    ...{ code: "Unauthenticated", detail: { reason: "token_invalid", field: "authorization" } },
  });
  // One for both says nothing of either.
  const both = await issuer.token({ sub: "mia", aud: [aud, "remit:default"] });
  expect(await failure(open(both))).toMatchObject(invalid);
  expect(await failure(openSession(house, {}, both))).toMatchObject({ detail: { reason: "token_invalid" } });
});

test("a session's own token, a key and no token at all prove no principal", async () => {
  const { token } = await openSession(house);
  for (const sent of [token, key, "", "a.b.c"]) expect(await failure(open(sent))).toMatchObject(invalid);
  expect(await failure(openSession(house, {}, token))).toMatchObject({ detail: { reason: "token_invalid" } });
});

test("a session for a principal lives no longer than its issuer is believed for", async () => {
  const { session } = await open(await subject());
  const seconds = Number((session.expiresAt?.seconds ?? 0n) - (session.openedAt?.seconds ?? 0n));
  expect(seconds).toBe(7200);
  expect(await failure(open(await subject(), { maxLifetimeSeconds: 7201 }))).toMatchObject({
    ...{ code: "InvalidArgument", detail: { field: "max_lifetime_seconds", limit: "7200 seconds" } },
  });
  expect((await open(await subject(), { maxLifetimeSeconds: 60 })).session.state).toBe(Session_State.OPEN);
});

test("a run is opened once, whichever of its principal's tokens asks, and for no other principal", async () => {
  const first = await open(await subject(), { runId: "run-1" });
  const again = await open(await subject({ jti: "another" }), { runId: "run-1" });
  expect(again.session.id).toBe(first.session.id);
  const reused = { code: "AlreadyExists", detail: { reason: "run_id_reused" } };
  expect(await failure(open(await issuer.token({ sub: "ben", aud }), { runId: "run-1" }))).toMatchObject(reused);
  expect(await failure(open(await subject({ tier: "gold" }), { runId: "run-1" }))).toMatchObject(reused);
});

test("renewing gives a new token of the same session, and closing ends it on every replica", async () => {
  await using other = await startHouse({ database: house.database, config: house.config, ownerKey: house.ownerKey });
  const { session, token, headers } = await open(await subject());
  const bearer = { authorization: `Bearer ${key}` };
  const renewed = await other.clients.sessions.renewSession({ sessionId: session.id }, { headers: bearer });
  expect(decodeJwt(renewed.token)).toMatchObject({ sid: session.id, ten: "default" });
  expect(renewed.session?.principal).toMatchObject({ id: "shop:mia", verified: true });
  const asked = { ...bearer, "remit-session": renewed.token };
  expect((await readInvoice(other, asked, "renewed")).effect).toBe(Effect.ALLOW);
  await house.clients.sessions.closeSession({ sessionId: session.id }, { headers: bearer });
  expect((await readInvoice(house, headers, "closed")).reason?.code).toBe("session_closed");
  await expect
    .poll(async () => (await readInvoice(other, asked, `closed-${Math.random()}`)).reason?.code)
    .toBe("session_closed");
  expect(token).not.toBe("");
});
