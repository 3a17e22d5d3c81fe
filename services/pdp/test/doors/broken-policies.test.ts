import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

/*
 * What is stored was checked before it was stored; a newer engine may still refuse it, or a hand may have changed it.
 */

let database: TestDatabase;
let house: House;
/** The same cell, seen by the owner of `acme`, whose policies are broken after the restart. */
let acme: House;
let acmeSession: Awaited<ReturnType<typeof openSession>>;
let decidedBefore: string;
let calls = 0;

const ask = () => ({
  callId: `call-${++calls}`,
  tool: "invoices.read",
  input: { case: "inputObject" as const, value: {} },
  supportedConstraints: ["timeout", "maxOutputBytes"],
});
const page = async (path: string) => (await fetch(`http://${house.pdp.metricsAddress}${path}`)).text();
const broken = { code: "Unavailable", detail: { reason: "policies_broken", retryable: true } };

beforeAll(async () => {
  database = await createTestDatabase();
  const config = testConfig(database.runtimeUrl);
  const first = await startHouse({ database, config });
  const { ownerKey } = first;
  const created = await first.clients.tenants.createTenant(
    { tenant: "acme" },
    { headers: { authorization: `Bearer ${ownerKey}` } },
  );
  await furnish(first);
  const before = { ...first, ownerKey: created.ownerKey };
  await furnish(before);
  acmeSession = await openSession(before);
  const decided = await before.clients.decisions.decide(ask(), { headers: acmeSession.headers });
  decidedBefore = decided.decisionId;
  await first.close();
  await withClient(database.superuserUrl, (client) =>
    client.query(`update policy_version set document = jsonb_set(document, '{spec,rules,0,when}', '["inptu.x > 1"]')
                   where tenant = 'acme'`),
  );
  house = await startHouse({ database, config, ownerKey });
  acme = { ...house, ownerKey: created.ownerKey };
});

afterAll(async () => {
  await house.close();
  await database.drop();
});

test("nothing is decided by policies that do not compile, and why is said to each in its own way", async () => {
  const { decisions } = acme.clients;
  const { headers } = acmeSession;
  const refused = await failure(decisions.decide(ask(), { headers }));
  expect(refused).toMatchObject(broken);
  expect(refused.message).not.toContain("inptu");
  expect(await failure(decisions.explain({ call: ask() }, { headers }))).toMatchObject(broken);
  const { items } = await decisions.decideBatch({ items: [ask()] }, { headers });
  expect(items[0]?.outcome).toMatchObject({ case: "error", value: { detail: { reason: "policies_broken" } } });
  expect(await page("/metrics")).toMatch(/^remit_policies_broken 1$/m);
  expect(await page("/readyz")).toBe(
    "ready\nthe newest policies of tenant acme do not compile: nothing of it is decided\n",
  );
});

test("what ran before is reported on, and its neighbours are decided for", async () => {
  const told = await acme.clients.decisions.report(
    { subject: { case: "decisionId", value: decidedBefore }, outcome: Outcome.SUCCEEDED },
    { headers: acmeSession.headers },
  );
  expect(told.replayed).toBe(false);
  const { headers } = await openSession(house);
  expect((await house.clients.decisions.decide(ask(), { headers })).effect).toBe(Effect.ALLOW);
});

test("its administrators can see what is there, and mend it", async () => {
  const { policies, tools } = acme.clients;
  const by = { headers: { authorization: `Bearer ${acme.ownerKey}` } };
  expect((await policies.listPolicies({}, by)).versions).toHaveLength(1);
  expect((await tools.listTools({}, by)).tools).toHaveLength(4);
  const text = `apiVersion: remit/v1
kind: Policy
metadata: { name: house, owner: finance }
spec: { rules: [{ id: reads, match: { tools: [invoices.read] }, effect: allow }] }
`;
  const { problems } = await policies.publishPolicies({ files: [{ file: "house.yaml", text }] }, by);
  expect(problems).toEqual([]);
  await policies.activatePolicies({ choices: [{ policy: "house" }] }, by);
  const decided = await acme.clients.decisions.decide(ask(), { headers: acmeSession.headers });
  expect(decided.effect).toBe(Effect.ALLOW);
  expect(await page("/metrics")).toMatch(/^remit_policies_broken 0$/m);
  expect(await page("/readyz")).toBe("ready\n");
});
