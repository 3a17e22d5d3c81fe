import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { startIssuer, type TestIssuer } from "../support/issuer.ts";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { withClient } from "../support/test-database.ts";
import { deleteBindings, putBinding, putIssuer } from "../support/trusting.ts";

const aud = "remit:default";
const exceeded = { code: "ResourceExhausted", detail: { reason: "quota_exceeded", field: "agents" } };

let house: House;
let issuer: TestIssuer;
beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  issuer = await startIssuer();
  await putIssuer(house, { name: "idp", issuer: issuer.url });
});
afterAll(async () => {
  await house.close();
  await issuer[Symbol.asyncDispose]();
});

const named = (count: number, of: string) => Array.from({ length: count }, (_, at) => `${of}-${at}`);
const put = (name: string, agents: string[]) => putBinding(house, { name, issuer: "idp", subject: name, agents });

/** Rows as earlier builds took them: whatever each of them named. */
const asBefore = (text: string) => withClient(house.database.superuserUrl, (client) => client.query(text));

test("bindings name as many agents together as the limit says, and a tenant that has more keeps them", async () => {
  const each = limits.scopeEntriesMax;
  const full = Math.floor(limits.bindingAgentsMax / each);
  const rest = limits.bindingAgentsMax - full * each;
  for (let at = 0; at < full; at++) await put(`b${at}`, named(each, `x${at}`));
  await put("rest", named(rest, "r"));
  expect(await failure(put("one-more", ["clerk"]))).toMatchObject(exceeded);
  expect(await failure(put("rest", named(rest + 1, "r")))).toMatchObject(exceeded);
  await put("rest", [...named(rest - 1, "r"), "clerk"]);
  const { token } = await open("rest");
  expect(token).not.toBe("");
  await asBefore(`insert into binding (tenant, name, issuer, subject, agents, revision)
    select 'default', 'old-' || i, 'idp', 'old', array(select 'o' || i || '-' || n from generate_series(1, 256) n), 1
      from generate_series(1, 300) i`);
  await asBefore("update binding set agents = agents || '{clerk}' where name = 'old-300'");
  await open("old");
  // Fewer than before is no more than before.
  await put("rest", ["clerk"]);
  await open("rest");
  await deleteBindings(house, ...named(300, "old").map((_, at) => `old-${at + 1}`));
});

/** By a token of its own, so that what the tenant says is asked for anew. */
const open = async (sub: string) => openSession(house, {}, await issuer.token({ sub, aud }));

test("a tenant at its limits is believed, and so is what it changes", async () => {
  await asBefore("delete from binding");
  await asBefore(`insert into issuer (tenant, name, profile, use, issuer, jwks, algorithms, claims, token_seconds_max,
      session_seconds_max, revision)
    select 'default', 'issuer-' || i, 'oidc', 'workloads', 'https://issuer-' || i || '.example',
      (select jsonb_build_object('keys', jsonb_agg(jsonb_build_object('kid', 'k' || n, 'kty', 'RSA', 'e', 'AQAB', 'n',
        repeat('q', 2500)))) from generate_series(1, ${limits.jwksKeysMax}) n), '{ES256}', '{}', 3600, 3600, 1
      from generate_series(1, ${limits.issuersMax - 1}) i`);
  await asBefore(`insert into binding (tenant, name, issuer, subject, caller_group, agents, revision)
    select 'default', 'many-' || i, 'idp', repeat('*a', 255), rpad('g' || i, 512, 'x'), '{clerk}', 1
      from generate_series(1, ${limits.bindingsMax - 20}) i`);
  await put("late", ["clerk"]);
  await open("late");
  await deleteBindings(house, "late");
  expect(await failure(open("late"))).toMatchObject({ detail: { reason: "caller_not_bound" } });
});

test("a document of an issuer has as many values as the limit says, whether it is sent or read", async () => {
  const [key] = issuer.keys;
  // The document's two members, the list's one item, and the key's own members; the rest are items.
  const own = 3 + Object.keys(key?.publicJwk ?? {}).length;
  const document = (values: number) => JSON.stringify({ keys: [key?.publicJwk], more: Array(values - own).fill(1) });
  const most = limits.issuerDocumentValuesMax;
  const sent = (values: number) =>
    putIssuer(house, {
      ...{ name: "sent", issuer: "https://sent.example" },
      keys: { case: "jwks", value: document(values) },
    });
  await asBefore("delete from binding; delete from issuer where name like 'issuer-%'");
  await sent(most);
  expect(await failure(sent(most + 1))).toMatchObject({
    ...{
      code: "InvalidArgument",
      detail: { field: "jwks", limit: expect.stringContaining("issuerDocumentValuesMax") },
    },
  });
  await using reading = await startIssuer();
  await putIssuer(house, { name: "read", issuer: reading.url });
  await putBinding(house, { name: "read", issuer: "read", subject: "**", agents: ["clerk"] });
  const body = (values: number) =>
    JSON.stringify({ keys: reading.keys.map(({ publicJwk }) => publicJwk), more: Array(values - own).fill(1) });
  reading.respond = (_, response) => response.end(body(most + 1));
  const token = await reading.token({ sub: "r", aud });
  expect(await failure(openSession(house, {}, token))).toMatchObject({ code: "Unavailable" });
  reading.respond = (_, response) => response.end(body(most));
  await openSession(house, {}, token);
});
