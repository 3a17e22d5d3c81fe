import { createHmac } from "node:crypto";
import { exportSPKI, importJWK } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type IssuerKey, makeKey, signToken, startIssuer, type TestIssuer } from "../support/issuer.ts";
import { failure, furnish, type House, openSession, readInvoice, startHouse } from "../support/pdp.ts";
import { listCallers, putBinding, putIssuer } from "../support/trusting.ts";

/*
 * What somebody tries who has a token that is not theirs, not for here, or not a token at all. Each is tried with a
 * subject that everything would be given to, so that what refuses it is nothing but the token.
 */

const aud = "remit:default";
const sub = "clerk";
const invalid = { code: "Unauthenticated", detail: { reason: "token_invalid", field: "authorization" } };
const expired = { code: "Unauthenticated", detail: { reason: "token_expired", field: "authorization" } };

let house: House;
let issuer: TestIssuer;
let attacker: IssuerKey;
let rsa: IssuerKey;
beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  rsa = await makeKey("RS256", "rsa");
  issuer = await startIssuer(await makeKey("ES256", "main"), rsa);
  attacker = await makeKey("ES256", "main");
  await putIssuer(house, { name: "idp", issuer: issuer.url });
  await putBinding(house, { name: "all", issuer: "idp", subject: "clerk", agents: ["*"], roles: ["owner"] });
  await openSession(house, {}, await issuer.token({ sub, aud }));
});
afterAll(async () => {
  await house.close();
  await issuer[Symbol.asyncDispose]();
});

const seconds = () => Math.floor(Date.now() / 1000);
const part = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const claims = () => ({ iss: issuer.url, sub, aud, iat: seconds(), exp: seconds() + 600 });
const tried = (token: string) => failure(openSession(house, {}, token));

/** A token whose parts are written by hand, signed by HMAC or by nothing. */
function written(header: object, payload: unknown, secret?: string): string {
  const signed = `${part(header)}.${part(payload)}`;
  const signature = secret === undefined ? "" : createHmac("sha256", secret).update(signed).digest("base64url");
  return `${signed}.${signature}`;
}

test("no algorithm is none, and no public key is a shared secret", async () => {
  for (const alg of ["none", "None", "NONE"])
    expect(await tried(written({ alg, kid: "main" }, claims()))).toMatchObject(invalid);
  expect(await tried(`${written({ alg: "none" }, claims())}e30`)).toMatchObject(invalid);
  const pem = await exportSPKI((await importJWK(rsa.publicJwk, "RS256", { extractable: true })) as CryptoKey);
  for (const secret of [pem, JSON.stringify(rsa.publicJwk), rsa.publicJwk.n ?? "", ""]) {
    expect(await tried(written({ alg: "HS256", kid: "rsa" }, claims(), secret))).toMatchObject(invalid);
  }
});

test("a key verifies only what it is for, whatever a token says", async () => {
  const [, payload = "", signature = ""] = (await issuer.token({ sub, aud })).split(".");
  for (const header of [
    ...[
      { alg: "RS256", kid: "main" },
      { alg: "ES256", kid: "rsa" },
      { alg: "ES384", kid: "main" },
    ],
    ...[{ alg: "EdDSA", kid: "main" }, { alg: "RS256", kid: "rsa" }, { alg: "PS256", kid: "rsa" }, { kid: "main" }],
  ]) {
    expect(await tried(`${part(header)}.${payload}.${signature}`), JSON.stringify(header)).toMatchObject(invalid);
  }
});

test("an issuer that signs otherwise than it is said to is not believed", async () => {
  const only = await makeKey("RS256", "only");
  const keys = { case: "jwks", value: JSON.stringify({ keys: [only.publicJwk] }) } as const;
  await putIssuer(house, { name: "strict", issuer: "https://strict.example", algorithms: ["ES256"], keys });
  expect(await tried(await signToken(only, { iss: "https://strict.example", sub, aud }))).toMatchObject(invalid);
});

test("a token brings no key of its own, nor says where one is", async () => {
  const asked = issuer.asked.times;
  await using elsewhere = await startIssuer(attacker);
  for (const header of [
    ...[{ jwk: attacker.publicJwk }, { jku: elsewhere.jwksUri }, { x5u: `${elsewhere.url}/cert` }],
    ...[
      { x5c: ["MIIB"] },
      { jwk: attacker.publicJwk, kid: undefined },
      { kid: `../../keys` },
      { kid: elsewhere.jwksUri },
    ],
  ]) {
    const token = await signToken(attacker, { iss: issuer.url, sub, aud }, header);
    const { detail } = await tried(token);
    expect(["token_invalid", "issuer_unavailable"], JSON.stringify(header)).toContain(detail.reason);
  }
  expect(elsewhere.asked.times).toBe(0);
  expect(issuer.asked.times - asked).toBeLessThanOrEqual(3);
});

test.each<[string, () => object, object]>([
  ["for another audience", () => ({ aud: "somebody-else" }), invalid],
  ["for no audience", () => ({ aud: undefined }), invalid],
  ["for an audience like this one", () => ({ aud: "remit:default " }), invalid],
  ["for another tenant", () => ({ aud: "remit:acme" }), invalid],
  ["of another issuer", () => ({ iss: "https://elsewhere.example" }), invalid],
  ["of an issuer like this one", () => ({ iss: `${issuer.url}/` }), invalid],
  ["of no issuer", () => ({ iss: undefined }), invalid],
  ["of no subject", () => ({ sub: undefined }), invalid],
  ["of a subject that is no text", () => ({ sub: 7 }), invalid],
  ["that expired", () => ({ iat: seconds() - 600, exp: seconds() - 60 }), expired],
  ["that never expires", () => ({ exp: undefined }), invalid],
  ["that expires at no time", () => ({ exp: "tomorrow" }), invalid],
  ["that is not valid yet", () => ({ nbf: seconds() + 120 }), invalid],
  ["that was issued in the future", () => ({ iat: seconds() + 120, exp: seconds() + 600 }), invalid],
  ["that lives too long", () => ({ exp: seconds() + 8 * 86_400 }), invalid],
  ["that lives too long and does not say since when", () => ({ iat: undefined, exp: seconds() + 8 * 86_400 }), invalid],
  ["that is bound to a key", () => ({ cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }), invalid],
  ["that logs somebody out", () => ({ events: { "http://schemas.openid.net/event/backchannel-logout": {} } }), invalid],
  ["with a subject that cannot be seen", () => ({ sub: "clerk\u0000" }), invalid],
  ["with a subject that is too long", () => ({ sub: "c".repeat(600) }), invalid],
  ["with more groups than are read", () => ({ groups: Array.from({ length: 300 }, (_, at) => `g${at}`) }), invalid],
  ["with groups that are no list", () => ({ groups: { owner: true } }), invalid],
])("a token %s calls nobody", async (_what, own, refused) => {
  expect(await tried(await issuer.token({ sub, aud, ...own() }))).toMatchObject(refused);
});

test.each(["logout+jwt", "secevent+jwt", "remit-session+jwt", "dpop+jwt", "txntoken+jwt", "id", 7])(
  "a token of the type %s calls nobody",
  async (typ) => {
    expect(await tried(await issuer.token({ sub, aud }, { typ }))).toMatchObject(invalid);
  },
);

test("a token with extensions that must be understood calls nobody", async () => {
  const token = written({ alg: "ES256", kid: "main", crit: ["exp"] }, claims());
  expect(await tried(`${token}e30`)).toMatchObject(invalid);
});

test("a signature is the issuer's over exactly what is sent", async () => {
  const token = await issuer.token({ sub: "somebody", aud });
  const [header = "", , signature = ""] = token.split(".");
  expect(await tried(`${header}.${part(claims())}.${signature}`)).toMatchObject(invalid);
  expect(await tried(await signToken(attacker, claims()))).toMatchObject(invalid);
  const flipped = Buffer.from(signature, "base64url");
  flipped[5] = (flipped[5] ?? 0) ^ 1;
  const true_ = await issuer.token({ sub, aud });
  expect(await tried(`${true_.split(".").slice(0, 2).join(".")}.${flipped.toString("base64url")}`)).toMatchObject(
    invalid,
  );
});

test("two issuers may have the same kid, and neither signs for the other", async () => {
  await using other = await startIssuer(attacker);
  await putIssuer(house, { name: "other", issuer: other.url });
  await putBinding(house, { name: "others", issuer: "other", subject: "guest", agents: ["clerk"] });
  await openSession(house, {}, await other.token({ sub: "guest", aud }));
  expect(await tried(await signToken(attacker, claims()))).toMatchObject(invalid);
  // The same subject of another issuer is somebody else, and has nothing of this one's.
  expect(await tried(await other.token({ sub, aud }))).toMatchObject({ detail: { reason: "caller_not_bound" } });
});

test("a claim that stands twice, and what is not JSON, is read in no way at all", async () => {
  const key = await makeKey("EdDSA", "twice");
  const keys = { case: "jwks", value: JSON.stringify({ keys: [key.publicJwk] }) } as const;
  await putIssuer(house, { name: "twice", issuer: "https://twice.example", keys });
  const sign = async (payload: string, header = `{"alg":"EdDSA","kid":"twice"}`) => {
    const signed = `${part(header)}.${part(payload)}`;
    const signature = await crypto.subtle.sign("Ed25519", key.privateKey, Buffer.from(signed));
    return `${signed}.${Buffer.from(signature).toString("base64url")}`;
  };
  await putBinding(house, { name: "twice", issuer: "twice", subject: "clerk", agents: ["clerk"] });
  const body = `"iss":"https://twice.example","aud":"${aud}","exp":${seconds() + 600}`;
  await openSession(house, {}, await sign(`{${body},"sub":"clerk"}`));
  for (const payload of [
    ...[`{${body},"sub":"guest","sub":"clerk"}`, `{${body},"sub":"clerk","sub":"guest"}`],
    ...[`{${body},"sub":"clerk","s\\u0075b":"guest"}`, `{"aud":"other",${body},"sub":"clerk"}`, `[]`, `"clerk"`, `{`],
  ]) {
    expect(await tried(await sign(payload)), payload).toMatchObject(invalid);
  }
  const header = `{"alg":"EdDSA","kid":"twice","alg":"none"}`;
  expect(await tried(await sign(`{${body},"sub":"clerk"}`, header))).toMatchObject(invalid);
});

test.each<[string, (token: string) => string]>([
  ["too long", (token) => `${token}${"A".repeat(9_000)}`],
  ["in four parts", (token) => `${token}.${token.split(".")[2]}`],
  ["in two parts", (token) => token.split(".").slice(0, 2).join(".")],
  ["with a line in it", (token) => token.replace(".", "%0A.")],
  ["of another alphabet", (token) => token.replace(".", "+/=.")],
])("a token %s is none", async (_what, change) => {
  expect(await tried(change(await issuer.token({ sub, aud })))).toMatchObject(invalid);
});

test("a token of one tenant opens nothing in another, whoever trusts the same issuer there", async () => {
  const operator = { headers: { authorization: `Bearer ${house.ownerKey}` } };
  const { ownerKey } = await house.clients.tenants.createTenant({ tenant: "acme" }, operator);
  const acme = { ...house, ownerKey };
  await furnish(acme);
  await putIssuer(acme, { name: "idp", issuer: issuer.url, audiences: ["remit:acme"] });
  await putBinding(acme, { name: "all", issuer: "idp", subject: "**", agents: ["clerk"], roles: ["owner"] });
  const ours = await openSession(house, {}, await issuer.token({ sub, aud }));
  const theirs = { authorization: `Bearer ${await issuer.token({ sub, aud: "remit:acme" })}` };
  const asked = { ...ours.headers, ...theirs };
  expect(await failure(readInvoice(house, asked, "across"))).toMatchObject({ detail: { reason: "token_invalid" } });
  // One that is for both is for neither.
  expect(await tried(await issuer.token({ sub, aud: [aud, "remit:acme"] }))).toMatchObject(invalid);
  // Nobody takes the audience of another tenant, nor one that another has.
  const put = (audience: string) => putIssuer(acme, { name: "mine", issuer: issuer.url, audiences: [audience] });
  expect(await failure(put(aud))).toMatchObject({ code: "InvalidArgument", detail: { field: "audiences" } });
  await putIssuer(house, { name: "shared", issuer: issuer.url, audiences: ["shared"] });
  expect(await failure(put("shared"))).toMatchObject({ code: "AlreadyExists" });
});

test("a subject that looks like another under a glob is nobody", async () => {
  const key = await makeKey("ES256", "globs");
  const keys = { case: "jwks", value: JSON.stringify({ keys: [key.publicJwk] }) } as const;
  const iss = "https://globs.example";
  await putIssuer(house, { name: "globs", issuer: iss, keys });
  await putBinding(house, { name: "globs", issuer: "globs", subject: "team:finance:*", agents: ["clerk"] });
  await openSession(house, {}, await signToken(key, { iss, aud, sub: "team:finance:ada" }));
  for (const other of [
    ...["team:finance:ada:root", "team:finance", "TEAM:finance:ada", " team:finance:ada", "team:finance/x:ada"],
    ...["xteam:finance:ada", "team:financ\u0435:ada", "team:*:ada", "team:finance:a/../b"],
  ]) {
    const { detail } = await tried(await signToken(key, { iss, aud, sub: other }));
    expect(["caller_not_bound", "token_invalid"], other).toContain(detail.reason);
  }
  // A star in a subject is a star.
  expect((await listCallers(house)).some(({ subject }) => subject.includes("*"))).toBe(false);
});

test("what could make somebody a cell operator takes one, and keys of our own are no tenant's to trust", async () => {
  const operator = { headers: { authorization: `Bearer ${house.ownerKey}` } };
  const { key } = await house.clients.callers.createKey({ name: "owner only", roles: ["owner"] }, operator);
  const owner = { ...house, ownerKey: key };
  await putBinding(house, { name: "root", issuer: "idp", subject: "root", roles: ["cell-operator"] });
  const refused = { code: "PermissionDenied", detail: { reason: "role_missing" } };
  const grab = { name: "mine", issuer: "idp", subject: "me", roles: ["cell-operator"] };
  expect(await failure(putBinding(owner, grab))).toMatchObject(refused);
  expect(await failure(putBinding(owner, { ...grab, name: "root", roles: [] }))).toMatchObject(refused);
  // Nor by keys of their own behind a binding that is there.
  const keys = { case: "jwks", value: JSON.stringify({ keys: [attacker.publicJwk] }) } as const;
  expect(await failure(putIssuer(owner, { name: "idp", issuer: issuer.url, keys }))).toMatchObject(refused);
  const wrong = { code: "InvalidArgument" };
  expect(await failure(putIssuer(house, { name: "ours", issuer: "remit" }))).toMatchObject(wrong);
  expect(await failure(putIssuer(house, { name: "spiffe", issuer: "https://a.example" }))).toMatchObject(wrong);
  expect(
    await failure(putIssuer(house, { name: "weak", issuer: "https://a.example", algorithms: ["HS256"] })),
  ).toMatchObject(wrong);
  const secret = { case: "jwks", value: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}' } as const;
  expect(await failure(putIssuer(house, { name: "secret", issuer: "https://a.example", keys: secret }))).toMatchObject(
    wrong,
  );
});
