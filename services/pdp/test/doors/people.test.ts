import { TenantStatus } from "@remit/proto/tenant";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { columnsHolding } from "../support/columns.ts";
import { startIssuer, type TestIssuer } from "../support/issuer.ts";
import { failure, type House, startHouse } from "../support/pdp.ts";
import { deleteIssuers, putBinding, putIssuer } from "../support/trusting.ts";

const aud = "remit-cli";

let house: House;
let issuer: TestIssuer;

beforeAll(async () => {
  house = await startHouse();
  issuer = await startIssuer();
  await putIssuer(house, { name: "staff", issuer: issuer.url, use: "people", audiences: [aud, "remit-console"] });
  await putBinding(house, { name: "leads", issuer: "staff", group: "leads", roles: ["viewer", "policy-approver"] });
});

afterAll(async () => {
  await house.close();
  await issuer[Symbol.asyncDispose]();
});

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const owner = () => bearer(house.ownerKey);
const who = async (token: string) => house.clients.login.whoAmI({}, bearer(token));
const seconds = (past: number) => Math.floor(Date.now() / 1000) - past;

test("a person is a caller of their own kind, with the rights of their groups and of nobody's else", async () => {
  const token = await issuer.token({
    sub: "ada",
    aud,
    groups: ["leads", "others"],
    name: "Ada",
    email: "a@example.com",
  });
  expect(await who(token)).toMatchObject({
    ...{ kind: "person", name: "staff/ada", roles: ["viewer", "policy-approver"], agents: [] },
    proof: { source: "staff", issuer: issuer.url, subject: "ada", groups: ["leads", "others"], bindings: ["leads"] },
  });
  const { callers } = house.clients;
  expect(await failure(callers.createKey({ name: "mine", roles: ["owner"] }, bearer(token)))).toMatchObject({
    detail: { reason: "role_missing" },
  });
  expect((await callers.listCallers({}, owner())).callers.find(({ subject }) => subject === "ada")).toMatchObject({
    ...{ kind: "person", displayName: "Ada", email: "a@example.com", roles: [] },
  });
  const seen = (await callers.listCallers({}, bearer(token))).callers.find(({ subject }) => subject === "ada");
  expect(seen).toMatchObject({ kind: "person", displayName: "", email: "" });
});

test.each([
  ["that is another client's, too", { aud: [aud, "another-app"], azp: aud }, {}],
  ["for two clients that does not say whose it is", { aud: [aud, "remit-console"] }, {}],
  ["that was issued to another client", { azp: "another-app" }, {}],
  ["for another client alone", { aud: "another-app" }, {}],
  ["that is an access token", {}, { typ: "at+jwt" }],
  ["that is a logout token", { events: { "http://schemas.openid.net/event/backchannel-logout": {} } }, {}],
  ["that does not say when it was issued", { iat: undefined }, {}],
  ["that lives longer than an hour", { exp: seconds(-2 * 3600) }, {}],
  ["that does not expire", { exp: undefined }, {}],
  ["of tomorrow", { iat: seconds(-24 * 3600), exp: seconds(-24 * 3600 - 60) }, {}],
])("a token %s proves no person", async (_what, claims, header) => {
  const token = await issuer.token({ sub: "ada", aud, groups: ["leads"], ...claims } as never, header);
  expect(await failure(who(token))).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
});

test("a token whose time has run out says so", async () => {
  const token = await issuer.token({ sub: "ada", aud, groups: ["leads"], iat: seconds(600), exp: seconds(60) });
  expect(await failure(who(token))).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_expired" } });
});

test("a person who owns the tenant administers it, and opens no session that no binding names", async () => {
  await putBinding(house, { name: "owners", issuer: "staff", group: "owners", roles: ["owner"] });
  const token = await issuer.token({ sub: "olga", aud, groups: ["owners"] });
  expect((await house.clients.callers.listCallers({}, bearer(token))).callers.length).toBeGreaterThan(0);
  const document = { file: "a.yaml", text: "{apiVersion: remit/v1, kind: Agent, metadata: {name: clerk}, spec: {}}" };
  await house.clients.agents.putAgent({ document }, bearer(token));
  const opened = house.clients.sessions.openSession({ agent: "clerk" }, bearer(token));
  expect(await failure(opened)).toMatchObject({ detail: { reason: "agent_not_bound" } });
});

test("a person who left the group has nothing with the next token, whatever the row of before", async () => {
  const before = await issuer.token({ sub: "leaver", aud, groups: ["leads"] });
  expect((await who(before)).roles).toContain("viewer");
  const after = await issuer.token({ sub: "leaver", aud, groups: [] });
  expect(await failure(who(after))).toMatchObject({ detail: { reason: "caller_not_bound" } });
});

test("an issuer of people speaks OpenID Connect, and its tokens live no longer than half a day", async () => {
  const kubernetes = putIssuer(house, { name: "cluster", issuer: issuer.url, use: "people", profile: "kubernetes" });
  expect(await failure(kubernetes)).toMatchObject({ detail: { reason: "request_invalid", field: "profile" } });
  const longer = { tokenSecondsMax: limits.personTokenSecondsMax + 1, audiences: ["x"] };
  const long = putIssuer(house, { name: "long", issuer: issuer.url, use: "people", ...longer });
  expect(await failure(long)).toMatchObject({ detail: { reason: "request_invalid", field: "token_seconds_max" } });
});

test("whoever asks hears where people log in, and nothing of other issuers or tenants", async () => {
  const { login } = house.clients;
  await putIssuer(house, { name: "machines", issuer: "https://machines.example", audiences: ["secret-audience"] });
  const told = await login.getLogin({});
  expect(told.issuers).toMatchObject([{ name: "staff", issuer: issuer.url, clientId: "" }]);
  expect(told.issuers[0]?.scopes).toContain("openid");
  await putIssuer(house, { name: "staff", issuer: issuer.url, use: "people", audiences: [aud] });
  expect((await login.getLogin({ tenant: "default" })).issuers).toMatchObject([{ clientId: aud }]);
  expect((await login.getLogin({ tenant: "nobody" })).issuers).toEqual([]);
  const asked = await Promise.allSettled(
    Array.from({ length: 2 * limits.loginQuestionsPerSecondMax }, () => login.getLogin({})),
  );
  const refused = asked.find(({ status }) => status === "rejected") as PromiseRejectedResult;
  expect(await failure(Promise.reject(refused.reason))).toMatchObject({ detail: { reason: "overloaded" } });
});

test("what is known of people goes with their tenant", async () => {
  const { ownerKey } = await house.clients.tenants.createTenant({ tenant: "acme" }, owner());
  const acme = { ...house, ownerKey };
  await putIssuer(acme, { name: "people", issuer: issuer.url, use: "people", audiences: ["acme-cli"] });
  await putBinding(acme, { name: "all", issuer: "people", subject: "**", roles: ["viewer"] });
  const marker = "Zoe-Marker-4711";
  await who(await issuer.token({ sub: "zoe", aud: "acme-cli", name: marker, email: `${marker}@example.com` }));
  const holding = () => columnsHolding(house.database.superuserUrl, marker);
  expect((await holding()).sort()).toEqual(["caller.display_name", "caller.email"]);
  await house.clients.tenants.updateTenant({ tenant: "acme", status: TenantStatus.CLOSING }, owner());
  const erase = () => house.clients.keys.eraseTenant({ tenant: "acme", confirm: "acme" }, owner());
  for (let answer = await erase(); answer.more; ) answer = await erase();
  expect(await holding()).toEqual([]);
});

test("without its issuer nobody comes in", async () => {
  const token = await issuer.token({ sub: "ada", aud, groups: ["leads"] });
  expect((await who(token)).kind).toBe("person");
  await deleteIssuers(house, "staff");
  expect(await failure(who(token))).toMatchObject({ code: "Unauthenticated" });
});
