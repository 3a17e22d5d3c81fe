import type { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { createSnapshots } from "../../src/policies/index.ts";
import { openPool } from "../../src/stores/database.ts";
import { createPolicyStore } from "../../src/stores/policies.ts";
import { furnish, type House, startHouse } from "../support/pdp.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

const TENANT = "default";

let database: TestDatabase;
let house: House;
let pool: ReturnType<typeof openPool>;
beforeAll(async () => {
  database = await createTestDatabase();
  house = await startHouse({ database });
  await furnish(house);
  pool = openPool({ url: database.runtimeUrl, name: "compares", log: silentLog });
});
afterAll(async () => {
  await pool.end();
  await house.close();
  await database.drop();
});

const byHand = (sql: string) => withClient(database.superuserUrl, (client: Client) => client.query(sql));

/** A replica that has the tenant in force, and what it says of differences. */
async function replica() {
  const said: string[] = [];
  const log = { ...silentLog, error: (_: object, message: string) => void said.push(message) };
  const store = createPolicyStore(pool);
  const snapshots = createSnapshots({ store, log, clock: { now: () => 0 } });
  await snapshots.current(TENANT);
  return { snapshots, said };
}

test("what was not changed does not differ, however often it is compared", async () => {
  const { snapshots, said } = await replica();
  expect([await snapshots.compare(), await snapshots.compare()]).toEqual([[], []]);
  expect(said).toEqual([]);
});

test("what is changed as it should be is no difference", async () => {
  const { snapshots } = await replica();
  const text = "{apiVersion: remit/v1, kind: Agent, metadata: {name: newcomer}, spec: {}}";
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  await house.clients.agents.putAgent({ document: { file: "agent.yaml", text } }, { headers });
  expect(await snapshots.compare()).toEqual([]);
});

test("a budget that is frozen, and one that is thawed, is no difference", async () => {
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  const text =
    "{apiVersion: remit/v1, kind: Budget, metadata: {name: chilled}, spec: {unit: EUR, limit: '5', window: day}}";
  await house.clients.budgets.putBudget({ document: { file: "budget.yaml", text } }, { headers });
  const { snapshots } = await replica();
  const given = { budget: "chilled", reason: "a trial" };
  await house.clients.budgets.freezeBudget(given, { headers });
  expect(await snapshots.compare()).toEqual([]);
  await house.clients.budgets.unfreezeBudget(given, { headers });
  expect(await snapshots.compare()).toEqual([]);
});

test.each([
  [
    "tools",
    `update tool set document = jsonb_set(document, '{spec,risk}', '"destructive"') where name = 'payments.transfer'`,
  ],
  ["tools", "delete from tool where name = 'records.delete'"],
  ["agents", `update agent set document = jsonb_set(document, '{spec,status}', '"suspended"')`],
  [
    "policies",
    `update policy_version set document = jsonb_set(document, '{spec,rules,0,effect}', '"deny"') where policy = 'house'`,
  ],
  ["policies", "delete from active_policy"],
  ["settings", "update tenant set mode = 'observe' where id = 'default'"],
  [
    "budgets",
    `insert into budget (tenant, name, document, source, digest, revision)
      select tenant, 'by-hand', document, source, digest, revision from tool limit 1`,
  ],
  ["budgets", `update budget set document = jsonb_set(document, '{spec,limit}', '"6"') where name = 'chilled'`],
  [
    "revocations",
    `insert into revocation (tenant, id, kind, subject, reason, made_by, revision)
      select tenant, gen_random_uuid(), 'agent', 'clerk', 'by hand', id, 0 from caller limit 1`,
  ],
])("a change by hand of %s is told of and loaded: %s", async (part, sql) => {
  const { snapshots, said } = await replica();
  const before = snapshots.held(TENANT);
  await byHand(sql);
  expect(await snapshots.compare()).toEqual([{ tenant: TENANT, parts: [part] }]);
  expect(snapshots.differences()).toEqual([{ tenant: TENANT, parts: [part] }]);
  expect([said.length > 0, snapshots.differencesFound()]).toEqual([true, 1]);
  const after = snapshots.held(TENANT);
  expect(after?.revisions).toEqual(before?.revisions);
  expect(after).not.toBe(before);
  // Once is enough.
  expect(await snapshots.compare()).toEqual([]);
});

test("a tool's risk that was changed by hand is what is decided by, though its digest is the old one", async () => {
  const { snapshots } = await replica();
  await byHand(`update tool set document = jsonb_set(document, '{spec,risk}', '"read"') where name = 'fs.write_file'`);
  await snapshots.compare();
  expect(snapshots.held(TENANT)?.tools.get("fs.write_file")?.document.spec.risk).toBe("read");
});

test("what does not compile after a change by hand leaves the last good policies in force", async () => {
  const { snapshots, said } = await replica();
  await byHand('update policy_version set document = \'{"metadata": {"name": "house"}}\'');
  await byHand(
    "insert into active_policy (tenant, policy, version, revision) values ('default', 'house', 1, 1) on conflict do nothing",
  );
  const before = snapshots.held(TENANT);
  expect(await snapshots.compare()).toHaveLength(1);
  const after = snapshots.held(TENANT);
  expect(after?.policies).toEqual(before?.policies);
  expect(after).toMatchObject({ usable: before?.usable, broken: expect.any(Array) });
  expect(said.length).toBeGreaterThan(1);
  expect(await snapshots.compare()).toEqual([]);
});
