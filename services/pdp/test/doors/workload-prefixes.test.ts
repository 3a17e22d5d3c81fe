import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish } from "../support/pdp.ts";
import { bindCertificates, startTlsHouse, type TlsHouse } from "../support/tls-house.ts";

const DOMAIN = "spiffe://example.org";
let tls: TlsHouse;
const owners: Record<string, string> = {};

const operator = () => ({ headers: { authorization: `Bearer ${tls.house.ownerKey}` } });
const give = (tenant: string, ...prefixes: string[]) =>
  tls.house.clients.tenants.updateTenant({ tenant, workloadPrefixes: { prefixes } }, operator());

beforeAll(async () => {
  tls = await startTlsHouse();
  const { tenants } = tls.house.clients;
  owners.default = tls.house.ownerKey;
  for (const tenant of ["acme", "shop"]) {
    owners[tenant] = (await tenants.createTenant({ tenant }, operator())).ownerKey;
  }
  for (const [tenant, ownerKey] of Object.entries(owners)) {
    await furnish({ ...tls.house, ownerKey });
    await bindCertificates(tls, `${DOMAIN}/**`, ["clerk"], tenant);
  }
});
afterAll(() => tls.close());

/** The tenant that a workload's session is opened in. */
async function tenantOf(path: string): Promise<string> {
  const shown = tls.theirs.issue({ uris: [`${DOMAIN}${path}`] });
  const { session } = await tls.clients(shown).sessionsByGrpc.openSession({ agent: "clerk" });
  const { clients } = tls.house;
  for (const [tenant, key] of Object.entries(owners)) {
    const headers = { authorization: `Bearer ${key}` };
    const found = await clients.sessions
      .getSession({ sessionId: session?.id ?? "" }, { headers })
      .catch(() => undefined);
    if (found) return tenant;
  }
  return "none";
}

test("a workload speaks to the tenant with the longest prefix of its id, else to the first one", async () => {
  await give("acme", `${DOMAIN}/ns/acme`);
  await give("shop", `${DOMAIN}/ns/acme/sa/till`, `${DOMAIN}/ns/shop`);
  expect(await tenantOf("/ns/acme/sa/clerk")).toBe("acme");
  expect(await tenantOf("/ns/acme/sa/till")).toBe("shop");
  expect(await tenantOf("/ns/acme/sa/till/2")).toBe("shop");
  expect(await tenantOf("/ns/acme-test/sa/clerk")).toBe("default");
  expect(await tenantOf("/ns/other/sa/clerk")).toBe("default");
  expect((await give("acme", `${DOMAIN}/ns/acme`)).tenant?.workloadPrefixes).toEqual([`${DOMAIN}/ns/acme`]);
});

test("what is given to another binds at once, for whoever spoke to the tenant before", async () => {
  await give("shop");
  await give("acme", `${DOMAIN}/ns/moving`);
  const shown = tls.theirs.issue({ uris: [`${DOMAIN}/ns/moving/sa/clerk`] });
  const { sessionsByGrpc, decisionsByGrpc } = tls.clients(shown);
  const { token } = await sessionsByGrpc.openSession({ agent: "clerk" });
  const headers = { "remit-session": token };
  const ask = (callId: string) =>
    decisionsByGrpc.decide({ callId, tool: "invoices.read", input: { case: "inputObject", value: {} } }, { headers });
  await ask("before");
  await give("shop", `${DOMAIN}/ns/moving/sa`);
  expect(await failure(ask("after"))).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
  expect(await tenantOf("/ns/moving/sa/clerk")).toBe("shop");
  await give("shop");
  expect(await tenantOf("/ns/moving/sa/clerk")).toBe("acme");
  await give("acme");
  expect(await tenantOf("/ns/moving/sa/clerk")).toBe("default");
  await give("acme", DOMAIN);
  expect(await tenantOf("/ns/moving/sa/clerk")).toBe("acme");
  await give("acme");
});

test("a certificate of one tenant's prefix has no say in another, whatever is bound there", async () => {
  await give("acme", `${DOMAIN}/ns/acme`);
  const shown = tls.theirs.issue({ uris: [`${DOMAIN}/ns/acme/sa/clerk`] });
  const headers = { authorization: `Bearer ${owners.shop}` };
  const refused = await failure(tls.clients(shown).sessions.openSession({ agent: "clerk" }, { headers }));
  expect(refused).toMatchObject({ code: "Unauthenticated", detail: { reason: "credentials_disagree" } });
});

test("a prefix is one tenant's, is written as one, and is a cell operator's to give", async () => {
  await give("acme", `${DOMAIN}/ns/acme`);
  const taken = await failure(give("shop", `${DOMAIN}/ns/acme`));
  expect(taken).toMatchObject({ code: "AlreadyExists", detail: { reason: "name_taken", field: "workload_prefixes" } });
  for (const wrong of ["", "spiffe://", `${DOMAIN}/`, `${DOMAIN}/ns/*`, "https://example.org", `${DOMAIN}/a/../b`]) {
    expect(await failure(give("shop", wrong))).toMatchObject({ code: "InvalidArgument" });
  }
  const own = { headers: { authorization: `Bearer ${owners.shop}` } };
  const grab = tls.house.clients.tenants.updateTenant({ workloadPrefixes: { prefixes: [DOMAIN] } }, own);
  expect(await failure(grab)).toMatchObject({ code: "PermissionDenied", detail: { reason: "role_missing" } });
});

test("of two tenants that are given one prefix at the same moment one gets it", async () => {
  for (let round = 0; round < 5; round++) {
    const prefix = `${DOMAIN}/race/${round}`;
    const answers = await Promise.allSettled([give("acme", prefix), give("shop", prefix)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  }
});
