import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeKey, signToken, startIssuer, type TestIssuer } from "../support/issuer.ts";
import { failure, furnish, type House, openSession, readInvoice, startHouse } from "../support/pdp.ts";
import { deleteBindings, deleteIssuers, listCallers, putBinding, putIssuer } from "../support/trusting.ts";

const aud = "remit:default";
const notBound = { code: "PermissionDenied", detail: { reason: "caller_not_bound" } };

let house: House;
let issuer: TestIssuer;
beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  issuer = await startIssuer();
  await putIssuer(house, { name: "idp", issuer: issuer.url });
  await putBinding(house, { name: "clerks", issuer: "idp", subject: "clerk-*", agents: ["clerk"] });
});
afterAll(async () => {
  await house.close();
  await issuer[Symbol.asyncDispose]();
});

const open = (token: string, more: object = {}) => openSession(house, more, token);

test("a workload opens a session with its token, decides, and is named in the list of callers", async () => {
  const token = await issuer.token({ sub: "clerk-7", aud });
  const { headers } = await open(token);
  expect((await readInvoice(house, headers, "first")).effect).toBe(Effect.ALLOW);
  expect((await listCallers(house)).find(({ subject }) => subject === "clerk-7")).toMatchObject({
    ...{ kind: "jwt", issuer: issuer.url, roles: [], agents: [], name: "idp/clerk-7" },
  });
  // Another token of the same subject is the same caller, and speaks for its sessions.
  const again = await issuer.token({ sub: "clerk-7", aud, jti: "another" });
  const { effect } = await readInvoice(house, { ...headers, authorization: `Bearer ${again}` }, "second");
  expect(effect).toBe(Effect.ALLOW);
  expect((await listCallers(house)).filter(({ subject }) => subject === "clerk-7")).toHaveLength(1);
});

test("a token works over the gRPC lane too, and one subject does not speak for another's session", async () => {
  const [mine, theirs] = await Promise.all(["clerk-1", "clerk-2"].map((sub) => issuer.token({ sub, aud })));
  const { headers } = await open(mine ?? "");
  const call = { callId: "grpc", tool: "invoices.read", supportedConstraints: ["timeout", "maxOutputBytes"] };
  const input = { case: "inputObject", value: {} } as const;
  const { decisionsByGrpc } = house.clients;
  expect((await decisionsByGrpc.decide({ ...call, input }, { headers })).effect).toBe(Effect.ALLOW);
  const other = { ...headers, authorization: `Bearer ${theirs}` };
  expect(await failure(decisionsByGrpc.decide({ ...call, input }, { headers: other }))).toMatchObject({
    ...{ code: "PermissionDenied", detail: { reason: "session_not_yours" } },
  });
});

test("a true token that no binding means is refused, and leaves no caller behind", async () => {
  const token = await issuer.token({ sub: "stranger", aud });
  expect(await failure(open(token))).toMatchObject(notBound);
  expect((await listCallers(house)).some(({ subject }) => subject === "stranger")).toBe(false);
});

test("a key that is new is read when a token names it, and what a key verified that was taken away is refused", async () => {
  await using rotating = await startIssuer();
  await putIssuer(house, { name: "rotating", issuer: rotating.url });
  await putBinding(house, { name: "rotated", issuer: "rotating", subject: "r", agents: ["clerk"] });
  const before = await rotating.token({ sub: "r", aud });
  const { headers } = await open(before);
  rotating.keys = [await makeKey()];
  const after = await rotating.token({ sub: "r", aud });
  await open(after);
  expect(rotating.asked.times).toBe(2);
  expect(await failure(readInvoice(house, headers, "rotated"))).toMatchObject({
    ...{ code: "Unauthenticated", detail: { reason: "token_invalid", field: "authorization" } },
  });
});

test("what verified a token is asked for once, however often the token is used", async () => {
  await using counted = await startIssuer();
  await putIssuer(house, { name: "counted", issuer: counted.url });
  await putBinding(house, { name: "counted", issuer: "counted", subject: "**", agents: ["clerk"] });
  const token = await counted.token({ sub: "c", aud });
  const { headers } = await open(token);
  for (let at = 0; at < 20; at++) await readInvoice(house, headers, `counted-${at}`);
  expect(counted.asked.times).toBe(1);
});

test("narrowing or deleting a binding, and deleting an issuer, act at once on every replica", async () => {
  await using mute = await startHouse({
    ...{ database: house.database, ownerKey: house.ownerKey },
    // This one hears of nothing by itself.
    config: { ...house.config, pollMs: 60_000 },
  });
  await putBinding(house, { name: "both", issuer: "idp", subject: "both", agents: ["clerk"] });
  const token = await issuer.token({ sub: "both", aud });
  const { headers } = await open(token);
  expect((await readInvoice(mute, headers, "before")).effect).toBe(Effect.ALLOW);
  await putBinding(house, { name: "both", issuer: "idp", subject: "both", agents: ["somebody-else"] });
  expect(await failure(openSession(mute, {}, token))).toMatchObject({ detail: { reason: "agent_not_bound" } });
  // Nor does the session go on that was opened when there was more.
  for (const at of [mute, house]) {
    expect(await failure(readInvoice(at, headers, "narrowed"))).toMatchObject({
      ...{ code: "PermissionDenied", detail: { reason: "agent_not_bound" } },
    });
  }
  await deleteBindings(house, "both");
  // What it knows still may be the narrowed binding, which refuses too; what it reads anew is none.
  expect(await failure(readInvoice(mute, headers, "unbound"))).toMatchObject({ code: "PermissionDenied" });
  for (const at of [mute, house]) expect(await failure(openSession(at, {}, token))).toMatchObject(notBound);
  expect(await failure(readInvoice(house, headers, "unbound"))).toMatchObject(notBound);

  await putIssuer(house, { name: "leaving", issuer: "https://leaving.example", keys: keysOf(await leaving()) });
  await putBinding(house, { name: "leaving", issuer: "leaving", subject: "l", agents: ["clerk"] });
  const leavingToken = await signToken(await leaving(), { iss: "https://leaving.example", sub: "l", aud });
  const opened = await open(leavingToken);
  expect((await readInvoice(mute, opened.headers, "trusted")).effect).toBe(Effect.ALLOW);
  await deleteIssuers(house, "leaving");
  for (const at of [mute, house]) {
    expect(await failure(readInvoice(at, opened.headers, "gone"))).toMatchObject({
      ...{ code: "Unauthenticated", detail: { reason: "token_invalid" } },
    });
  }
});

const keysOf = ({ publicJwk }: Awaited<ReturnType<typeof makeKey>>) =>
  ({ case: "jwks", value: JSON.stringify({ keys: [publicJwk] }) }) as const;
let leavingKey: ReturnType<typeof makeKey> | undefined;
const leaving = () => {
  leavingKey ??= makeKey("EdDSA");
  return leavingKey;
};

test("a caller that was revoked is let in by no token, whatever its bindings say", async () => {
  const token = await issuer.token({ sub: "clerk-gone", aud });
  const { headers } = await open(token);
  const found = (await listCallers(house)).find(({ subject }) => subject === "clerk-gone");
  const owner = { headers: { authorization: `Bearer ${house.ownerKey}` } };
  await house.clients.callers.revokeKey({ callerId: found?.id ?? "" }, owner);
  const gone = { code: "Unauthenticated", detail: { reason: "token_invalid" } };
  expect(await failure(readInvoice(house, headers, "revoked"))).toMatchObject(gone);
  expect(await failure(open(await issuer.token({ sub: "clerk-gone", aud, jti: "new" })))).toMatchObject(gone);
});

test("a service account of Kubernetes is bound by its namespace, and a workload of SPIFFE by its path", async () => {
  const [cluster, domain] = [await makeKey("RS256"), await makeKey("ES384")];
  const svid = { ...domain.publicJwk, use: "jwt-svid" };
  await putIssuer(house, {
    name: "cluster",
    profile: "kubernetes",
    issuer: "https://cluster.example",
    keys: keysOf(cluster),
  });
  await putIssuer(house, {
    ...{ name: "mesh", profile: "spiffe", issuer: "spiffe://example.org" },
    keys: { case: "jwks", value: JSON.stringify({ keys: [svid] }) },
  });
  const namespace = "system:serviceaccounts:prod";
  await putBinding(house, { name: "accounts", issuer: "cluster", group: namespace, agents: ["clerk"] });
  await putBinding(house, {
    name: "svids",
    issuer: "mesh",
    subject: "spiffe://example.org/ns/prod/**",
    agents: ["clerk"],
  });
  const iss = "https://cluster.example";
  const account = (name: string, kubernetes: object) =>
    signToken(cluster, { iss, aud, sub: `system:serviceaccount:${name}`, "kubernetes.io": kubernetes });
  const named = { namespace: "prod", serviceaccount: { name: "clerk", uid: "u" } };
  await open(await account("prod:clerk", named));
  expect(await failure(open(await account("dev:clerk", { ...named, namespace: "dev" })))).toMatchObject(notBound);
  expect(await failure(open(await account("prod:clerk", { ...named, namespace: "dev" })))).toMatchObject({
    detail: { reason: "token_invalid" },
  });
  await open(await signToken(domain, { aud, sub: "spiffe://example.org/ns/prod/sa/clerk" }));
  expect(
    await failure(open(await signToken(domain, { aud, sub: "spiffe://example.org/ns/dev/sa/clerk" }))),
  ).toMatchObject(notBound);
  expect((await listCallers(house)).map(({ kind, subject }) => `${kind} ${subject}`)).toEqual(
    expect.arrayContaining(["jwt system:serviceaccount:prod:clerk", "jwt spiffe://example.org/ns/prod/sa/clerk"]),
  );
});

test("a group of a token gives roles on the admin plane, where a person is a caller of its own kind", async () => {
  await putIssuer(house, { name: "staff", use: "people", issuer: issuer.url, audiences: ["remit-admin"] });
  await putBinding(house, { name: "viewers", issuer: "staff", group: "auditors", roles: ["viewer"] });
  const headers = {
    authorization: `Bearer ${await issuer.token({ sub: "ada", aud: "remit-admin", groups: ["auditors"] })}`,
  };
  await house.clients.agents.listAgents({}, { headers });
  const put = { document: { file: "a.yaml", text: "" } };
  expect(await failure(house.clients.agents.putAgent(put, { headers }))).toMatchObject({
    detail: { reason: "role_missing" },
  });
  expect((await listCallers(house)).find(({ subject }) => subject === "ada")).toMatchObject({ kind: "person" });
});
