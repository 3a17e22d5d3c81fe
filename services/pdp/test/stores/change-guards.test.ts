import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ada, bob, createTwoPeople, NEEDS } from "../support/two-people.ts";

/*
 * What the database holds by itself in a tenant that takes two people, tried with SQL written by hand as the service's
 * role: whoever has that role and no second person widens nothing.
 */

let house: Awaited<ReturnType<typeof createTwoPeople>>;
beforeAll(async () => {
  house = await createTwoPeople();
});
afterAll(() => house.drop());

const within: typeof house.within = (work, keep) => house.within(work, keep);
const one = (sql: string) => house.one(sql);

const widening: readonly [string, string][] = [
  ["another version in force", "update active_policy set version = 2 where tenant = 'TENANT' and policy = 'allows'"],
  ["a policy that denies out of force", "delete from active_policy where tenant = 'TENANT' and policy = 'denies'"],
  [
    "a policy in force anew",
    "with gone as (delete from active_policy where tenant = 'TENANT' and policy = 'allows') select 1; insert into active_policy (tenant, policy, version, revision) values ('TENANT', 'allows', 2, 0)",
  ],
  [
    "an agent",
    "insert into agent (tenant, name, document, source, digest, revision) values ('TENANT', 'two', '{}', '', decode(repeat('00', 32), 'hex'), 0)",
  ],
  ["an agent's ceiling", `update agent set document = '{"spec": {"ceiling": "*"}}' where tenant = 'TENANT'`],
  ["a tool", `update tool set document = '{"spec": {"risk": "read"}}' where tenant = 'TENANT'`],
  [
    "a suspended agent that is also widened",
    `update agent set document = '{"spec": {"status": "suspended", "limit": "9"}}' where tenant = 'TENANT'`,
  ],
  ["a budget", `update budget set document = '{"spec": {"status": "active", "limit": "101"}}' where tenant = 'TENANT'`],
  ["a budget's end", "delete from budget where tenant = 'TENANT'"],
  ["a suspended tool's end", "delete from tool where tenant = 'TENANT' and name = 'held'"],
  [
    "the end of a tool that binds where others are observed",
    "delete from tool where tenant = 'TENANT' and name = 'bound'",
  ],
  ["a group", `update principal_group set document = '{"spec": {"members": ["eve"]}}' where tenant = 'TENANT'`],
  ["a group's end", "delete from principal_group where tenant = 'TENANT'"],
  [
    "a key",
    "insert into caller (id, tenant, name, key_hash, roles, revision) values (gen_random_uuid(), 'TENANT', 'eve', decode(repeat('00', 32), 'hex'), '{viewer}', 0)",
  ],
  ["observing", "update tenant set mode = 'observe' where id = 'TENANT'"],
  ["spending what no budget covers", "update tenant set unbudgeted = 'allow' where id = 'TENANT'"],
  ["observed agents", `update tenant set observe_agents = '[{"a": "b"}]' where id = 'TENANT'`],
];

test.each(widening)("%s is refused where two people are needed, and not where one is enough", async (_what, sql) => {
  await expect(one(sql.replaceAll("TENANT", "acme"))).rejects.toMatchObject(NEEDS);
  await one(sql.replaceAll("TENANT", "solo"));
});

test("rights that a caller did not have are refused, and so is a key that was revoked", async () => {
  for (const set of ["roles = roles || '{cell-operator}'", "agents = '{*}'", "may_assert_principals = true"]) {
    await expect(one(`update caller set ${set} where id = '${bob}'`), set).rejects.toMatchObject(
      set.startsWith("roles") ? { code: "23514" } : NEEDS,
    );
  }
  const back = async (client: pg.Client) => {
    await client.query(`update caller set revoked = true where id = '${bob}'`);
    await client.query(`update caller set revoked = false where id = '${bob}'`);
  };
  await expect(within(back)).rejects.toMatchObject(NEEDS);
});

test("a tenant does not take fewer people by anybody's own word", async () => {
  await expect(one("update tenant set people = 1 where id = 'acme'")).rejects.toMatchObject(NEEDS);
  const both = "update tenant set people = 1, mode = 'observe' where id = 'acme'";
  await expect(one(both)).rejects.toMatchObject(NEEDS);
});

test.each([
  [
    "suspending an agent",
    `update agent set document = '{"spec": {"status": "suspended", "limit": "100"}}' where tenant = 'acme'`,
  ],
  ["removing an agent", "delete from agent where tenant = 'acme'"],
  ["removing a tool", "delete from tool where tenant = 'acme' and name = 'one'"],
  [
    "lowering a budget",
    `update budget set document = '{"spec": {"status": "active", "limit": "99.5"}}' where tenant = 'acme'`,
  ],
  [
    "taking a policy that only allows out of force",
    "delete from active_policy where tenant = 'acme' and policy = 'allows'",
  ],
  ["revoking a key", `update caller set revoked = true where id = '${bob}'`],
  ["fewer rights", `update caller set roles = '{}', agents = '{a}' where id = '${bob}'`],
  ["more people", "update tenant set people = 3 where id = 'acme'"],
  ["suspending the tenant", "update tenant set status = 'suspended' where id = 'acme'"],
  [
    "a caller that proves itself otherwise and has no rights of its own",
    "insert into caller (id, tenant, name, revision) values (gen_random_uuid(), 'acme', 'by-token', 0)",
  ],
])("%s takes one person", async (_what, sql) => {
  await one(sql);
});

test("a rollout decides for somebody only when others agree, and candidates are judged along without that", async () => {
  const rollout = randomUUID();
  const start = (share: number) => async (client: pg.Client) => {
    await client.query(
      "insert into policy_rollout (id, tenant, share, started_by, revision) values ($1, 'acme', $2, $3, 0)",
      [...[rollout, share, ada]],
    );
    await client.query(
      "insert into policy_rollout_version (tenant, rollout, policy, version) values ('acme', $1, 'allows', 2)",
      [rollout],
    );
  };
  await expect(within(start(100))).rejects.toMatchObject(NEEDS);
  await within(start(0));
  const later = async (client: pg.Client) => {
    await start(0)(client);
    await client.query("update policy_rollout set share = 1 where id = $1", [rollout]);
  };
  await expect(within(later)).rejects.toMatchObject(NEEDS);
});
