import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { TenantStatus } from "@remit/proto/tenant";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digest } from "../../src/foundation/digest.ts";
import { columnsHolding } from "../support/columns.ts";
import { startIssuer } from "../support/issuer.ts";
import { failure, furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { putBinding, putIssuer } from "../support/trusting.ts";

const MARKER = "marker-of-ada-91ab";
const LONG = "marker-of-ada-91ab ".repeat(1_000);

let database: TestDatabase;
let config: ReturnType<typeof testConfig>;
let house: House;
let acme: House;

beforeEach(async () => {
  database = await createTestDatabase();
  config = testConfig(database.runtimeUrl);
  house = await startHouse({ database, config });
  await furnish(house);
  const made = await house.clients.tenants.createTenant({ tenant: "acme", ownerName: `owner ${MARKER}` }, operator());
  acme = { ...house, ownerKey: made.ownerKey };
  await furnish(acme);
});

afterEach(async () => {
  await house.close();
  await database.drop();
});

const operator = () => ({ headers: { authorization: `Bearer ${house.ownerKey}` } });
const owner = () => ({ headers: { authorization: `Bearer ${acme.ownerKey}` } });
const stop = () => house.clients.tenants.updateTenant({ tenant: "acme", status: TenantStatus.CLOSING }, operator());
const erase = (confirm = "acme") => house.clients.keys.eraseTenant({ tenant: "acme", confirm }, operator());

const openMarked = () =>
  openSession(acme, {
    ...{
      principal: { id: `${MARKER}@example.com`, labels: { name: MARKER } },
      purpose: MARKER,
      runId: `run ${MARKER}`,
    },
    ...{ labels: { of: MARKER }, model: MARKER },
  });

const write = (at: House, headers: Record<string, string>, callId: string, text: string) =>
  at.clients.decisions.decide(
    {
      ...{ callId, tool: "fs.write_file" },
      ...{
        input: { case: "inputObject", value: { path: `/home/${MARKER}`, text } },
        context: { case: "contextObject", value: { of: MARKER } },
      },
    },
    { headers },
  );

/** Digest, place and time of every entry of a tenant: what an erasure must leave. */
const proofs = (tenant: string) =>
  withClient(database.superuserUrl, async (client) => {
    const text = `select writer, n, id, session, kind, subject, encode(digest, 'hex') as digest, recorded_at from record
      where tenant = $1 and kind <> 'admin' order by writer, n`;
    return (await client.query(text, [tenant])).rows;
  });

test("erasing a tenant leaves digests, numbers and times, and nothing of what was said", async () => {
  const { headers } = await openMarked();
  const short = await write(acme, headers, "short", MARKER);
  const long = await write(acme, headers, "long", LONG);
  expect(short.effect).toBe(Effect.TRANSFORM);
  const about = { subject: { case: "decisionId", value: short.decisionId }, outcome: Outcome.SUCCEEDED } as const;
  await acme.clients.decisions.report({ ...about, labels: [MARKER] }, { headers });
  const other = await openSession(house);
  const kept = await write(house, other.headers, "kept", "of another tenant");
  const { decision: before } = await acme.clients.ledger.getDecision({ decisionId: long.decisionId }, owner());
  expect(digest("entry", before?.canonical ?? "")).toBe(before?.digest);
  const provable = await proofs("acme");
  expect((await columnsHolding(database.superuserUrl, MARKER)).length).toBeGreaterThan(3);

  await stop();
  let answer = await erase();
  while (answer.more) answer = await erase();

  expect(await columnsHolding(database.superuserUrl, MARKER)).toEqual([]);
  expect(await proofs("acme")).toEqual(provable);
  const erased = provable.find(({ id }) => id === long.decisionId);
  expect(`sha256:${erased?.digest}`).toBe(before?.digest);
  const keys = await withClient(database.superuserUrl, (client) =>
    client.query("select wrapped, destroyed_at is not null as destroyed from data_key where tenant = 'acme'"),
  );
  expect(keys.rows).toEqual([{ wrapped: null, destroyed: true }]);

  // The other tenant's entries are as they were.
  const others = await house.clients.ledger.getDecision({ decisionId: kept.decisionId }, operator());
  expect(others.decision?.canonical).toContain("of another tenant");
  // Once more is nothing more.
  expect(await erase()).toMatchObject({ rows: 0, more: false });
});

test("whom a tenant believed, whom that named and who had acted before is gone with it", async () => {
  await using issuer = await startIssuer();
  const audience = ["remit:acme"];
  await putIssuer(acme, { name: "idp", issuer: issuer.url, audiences: audience, claims: { subject: MARKER } });
  await putBinding(acme, { name: "all", issuer: "idp", subject: `${MARKER}-*`, agents: ["clerk"] });
  await putIssuer(acme, { name: "ids", use: "principals", issuer: issuer.url, audiences: [MARKER] });
  const token = await issuer.token({ [MARKER]: `${MARKER}-worker`, sub: "worker", aud: "remit:acme" });
  const act = { iss: `https://${MARKER}.example`, sub: MARKER };
  const value = await issuer.token({ sub: MARKER, aud: MARKER, act });
  await openSession(acme, { onBehalfOf: { case: "subjectToken", value } }, token);
  expect(await columnsHolding(database.superuserUrl, MARKER)).toEqual(
    expect.arrayContaining(["caller.subject", "session.act", "issuer.claims", "binding.subject"]),
  );
  await stop();
  let answer = await erase();
  while (answer.more) answer = await erase();
  expect(await columnsHolding(database.superuserUrl, MARKER)).toEqual([]);
});

test("a replica that has not heard of it reads nothing, replays nothing and takes nothing for an erased tenant", async () => {
  await using mute = await startHouse({ database, config: { ...config, pollMs: 5_000 }, ownerKey: acme.ownerKey });
  const { headers } = await openMarked();
  const { decisionId } = await write(mute, headers, "replayed", MARKER);
  const read = () => mute.clients.ledger.getDecision({ decisionId }, owner());
  expect((await read()).decision?.canonical).toContain(MARKER);

  // The key alone, so that the owner can still ask: what a fleet sees between the erasure and the end of its rows.
  await withClient(database.superuserUrl, async (client) => {
    await client.query("begin");
    await client.query("update data_key set wrapped = null, destroyed_at = now() where tenant = 'acme'");
    await client.query("update revision set security = security + 1 where tenant = 'acme'");
    await client.query("commit");
  });
  const { decision } = await read();
  expect(decision).toMatchObject({ id: decisionId, erased: true, canonical: "" });
  expect(decision?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(decision?.body).toBeUndefined();
  const listed = await mute.clients.ledger.listDecisions({}, owner());
  expect(listed.decisions).toMatchObject([{ id: decisionId, erased: true }]);
  const gone = { code: "FailedPrecondition", detail: { reason: "tenant_erased" } };
  expect(await failure(write(mute, headers, "replayed", MARKER))).toMatchObject(gone);
  expect(await failure(write(mute, headers, "new", MARKER))).toMatchObject(gone);
  const about = { subject: { case: "decisionId", value: decisionId }, outcome: Outcome.SUCCEEDED } as const;
  expect(await failure(mute.clients.decisions.report(about, { headers }))).toMatchObject(gone);
});

test("an active tenant, another name, the operators' own tenant and an unknown one are not erased", async () => {
  expect(await failure(erase())).toMatchObject({ code: "FailedPrecondition", detail: { reason: "tenant_active" } });
  await stop();
  expect(await failure(erase("acme "))).toMatchObject({ code: "InvalidArgument", detail: { field: "confirm" } });
  const own = house.clients.keys.eraseTenant({ tenant: "default", confirm: "default" }, operator());
  expect(await failure(own)).toMatchObject({ code: "InvalidArgument", detail: { field: "tenant" } });
  const unknown = house.clients.keys.eraseTenant({ tenant: "nobody", confirm: "nobody" }, operator());
  expect(await failure(unknown)).toMatchObject({ code: "NotFound", detail: { reason: "tenant_unknown" } });
  expect((await columnsHolding(database.superuserUrl, MARKER)).length).toBeGreaterThan(0);
});

test("what was recorded before sealing was turned on is blanked, and an erased tenant is not made active again", async () => {
  await withClient(database.superuserUrl, (client) => client.query("update cell set sealing = false"));
  await using plain = await startHouse({ database, config, ownerKey: acme.ownerKey });
  const { headers } = await openMarked();
  await write(plain, headers, "short", MARKER);
  await write(plain, headers, "long", LONG);
  expect(await columnsHolding(database.superuserUrl, MARKER)).toEqual(
    expect.arrayContaining(["record.body", "record.aside"]),
  );
  await house.clients.keys.enableSealing({}, operator());
  await stop();
  let answer = await erase();
  while (answer.more) answer = await erase();
  expect(await columnsHolding(database.superuserUrl, MARKER)).toEqual([]);
  const again = house.clients.tenants.updateTenant({ tenant: "acme", status: TenantStatus.ACTIVE }, operator());
  expect(await failure(again)).toMatchObject({ code: "FailedPrecondition", detail: { reason: "tenant_erased" } });
  const { rows } = await withClient(database.superuserUrl, (client) =>
    client.query(
      "select convert_from(body, 'utf8')::jsonb as entry from record where tenant = 'acme' and get_byte(body || '\\x00', 0) = 123",
    ),
  );
  expect(rows).toMatchObject([{ entry: { change: "tenant_erased", caller: { name: "owner", tenant: "default" } } }]);
});
