import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStream } from "../support/exchange-stream.ts";
import { startIssuer, type TestIssuer } from "../support/issuer.ts";
import { failure, furnish, type House, openSession, readInvoice, startHouse } from "../support/pdp.ts";
import { deleteBindings, putBinding, putIssuer } from "../support/trusting.ts";

/*
 * A caller that keeps some of its bindings, and has opened sessions by one that is taken away: it is a caller still, and
 * whatever it had by that one is gone, on every RPC.
 */

const aud = "remit:default";
const unbound = { code: "PermissionDenied", detail: { reason: "agent_not_bound" } };

let house: House;
let issuer: TestIssuer;
beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  const text = "{apiVersion: remit/v1, kind: Agent, metadata: {name: helper}, spec: {}}";
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  await house.clients.agents.putAgent({ document: { file: "helper.yaml", text } }, { headers });
  issuer = await startIssuer();
  await putIssuer(house, { name: "idp", issuer: issuer.url });
});
afterAll(async () => {
  await house.close();
  await issuer[Symbol.asyncDispose]();
});

/** A caller that may act as two agents, by a binding each, and a session as the clerk. */
async function bindBoth(sub: string, scope: object = {}) {
  await putBinding(house, { name: "clerk", issuer: "idp", subject: sub, agents: ["clerk"] });
  await putBinding(house, { name: "helper", issuer: "idp", subject: sub, agents: ["helper"], roles: ["diagnose"] });
  const bearer = await issuer.token({ sub, aud });
  return { bearer, ...(await openSession(house, scope, bearer)) };
}

test("once a binding is gone nothing is allowed in a session that it opened, nor again what it had allowed", async () => {
  const { bearer, headers, session, token } = await bindBoth("both");
  const stream = openStream(house, bearer);
  const handle = await stream.attach(1n, token);
  expect((await readInvoice(house, headers, "before")).effect).toBe(Effect.ALLOW);
  await deleteBindings(house, "clerk");
  expect(await failure(readInvoice(house, headers, "after"))).toMatchObject(unbound);
  expect(await failure(readInvoice(house, headers, "before"))).toMatchObject(unbound);
  const { decisions, sessions } = house.clients;
  const call = { callId: "again", tool: "invoices.read", input: { case: "inputObject" as const, value: {} } };
  expect(await failure(decisions.explain({ call } as never, { headers }))).toMatchObject(unbound);
  expect(await failure(sessions.renewSession({ sessionId: session.id }, { headers }))).toMatchObject(unbound);
  const handedOn = sessions.delegate({ agent: "helper", scope: { tools: ["*"] } }, { headers });
  expect(await failure(handedOn)).toMatchObject(unbound);
  expect(await stream.ask(2n, { case: "decide", value: { handle, call } })).toMatchObject({ case: "error" });
  await stream.end();
  // What ends something is its own still.
  await sessions.closeSession({ sessionId: session.id }, { headers });
  expect((await openSession(house, { agent: "helper" }, bearer)).session.agent).toBe("helper");
});

test("nor in what was handed on from it, to whatever agent", async () => {
  const { headers } = await bindBoth("handing", { scope: { tools: ["*"], maxDepth: 1 } });
  const child = await house.clients.sessions.delegate({ agent: "helper", scope: { tools: ["*"] } }, { headers });
  const below = { ...headers, "remit-session": child.token };
  expect((await readInvoice(house, below, "before")).reason?.code).not.toBe("agent_not_bound");
  await deleteBindings(house, "clerk");
  expect(await failure(readInvoice(house, below, "after"))).toMatchObject(unbound);
});
