import { randomBytes, randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

/*
 * What the database itself keeps apart, tried with SQL written by hand: as the service's role, and as a person's.
 */

let database: TestDatabase;
const READER = `reader_${randomBytes(4).toString("hex")}`;
const TENANTS = ["acme", "globex"] as const;
const ids = {
  acme: { caller: randomUUID(), session: randomUUID() },
  globex: { caller: randomUUID(), session: randomUUID() },
};

const hex = (length: number, byte: string) => `\\x${byte.repeat(length)}`;

async function fillTenant(client: pg.Client, tenant: (typeof TENANTS)[number]): Promise<void> {
  const { caller, session } = ids[tenant];
  const run = (sql: string, values: unknown[] = []) => client.query(sql, values);
  await run("insert into tenant (id) values ($1)", [tenant]);
  await run("insert into revision (tenant) values ($1)", [tenant]);
  await run("insert into caller (id, tenant, name, key_hash, revision) values ($1, $2, 'owner', $3, 0)", [
    ...[caller, tenant, randomBytes(32)],
  ]);
  for (const table of ["agent", "tool", "budget", "principal_group"]) {
    await run(
      `insert into ${table} (tenant, name, document, source, digest, revision) values ($1, 'one', '{}', '', $2, 0)`,
      [...[tenant, hex(32, "01")]],
    );
  }
  await run(
    `insert into policy_version (tenant, policy, version, digest, document, source, rules, published_by)
     values ($1, $2, 1, $3, '{}', '', 0, $4)`,
    [tenant, `house-of-${tenant}`, hex(32, "01"), caller],
  );
  await run("insert into active_policy (tenant, policy, version, revision) values ($1, $2, 1, 0)", [
    ...[tenant, `house-of-${tenant}`],
  ]);
  await run("insert into policy_rollout (id, tenant, share, started_by, revision) values ($1, $2, 0, $3, 0)", [
    ...[session, tenant, caller],
  ]);
  await run("insert into policy_rollout_version (tenant, rollout, policy, version) values ($1, $2, $3, 1)", [
    ...[tenant, session, `house-of-${tenant}`],
  ]);
  await run(
    `insert into issuer (tenant, name, profile, use, issuer, algorithms, token_seconds_max, session_seconds_max, revision)
     values ($1, 'idp', 'oidc', 'workloads', 'https://id.example', '{ES256}', 60, 60, 0)`,
    [tenant],
  );
  await run("insert into issuer_audience (issuer, audience, tenant, name) values ($1, $2, $3, 'idp')", [
    ...["https://id.example", `remit:${tenant}`, tenant],
  ]);
  await run("insert into binding (tenant, name, issuer, subject, revision) values ($1, 'b', 'idp', '*', 0)", [tenant]);
  await run(
    "insert into revocation (tenant, id, kind, subject, reason, made_by, revision) values ($1, $2, 'agent', 'one', '', $3, 0)",
    [tenant, session, caller],
  );
  await run(session_(session, tenant, caller));
  await run("insert into call (day, tenant, session, key, id, digest) values (current_date, $1, $2, $3, $4, $5)", [
    ...[tenant, session, hex(16, "02"), session, hex(32, "01")],
  ]);
  await run(
    `insert into record (day, writer, n, ord, id, tenant, session, kind, digest, body)
     values (current_date, $1, 1, 1, $2, $3, $2, 'decision', $4, '{}')`,
    [tenant === "acme" ? 1 : 2, session, tenant, hex(32, "01")],
  );
  await run("insert into data_key (id, tenant, wrapped, wrapped_by) values ($1, $2, $3, 'k')", [
    ...[randomUUID(), tenant, hex(48, "03")],
  ]);
}

const session_ = (id: string, tenant: string, openedBy: string, parent: string | null = null) =>
  `insert into session (id, tenant, agent, principal_id, principal_verified, opened_at, expires_at, opened_by, parent)
   values ('${id}', '${tenant}', 'one', 'p', true, now(), now() + interval '1 hour', '${openedBy}', ${parent ? `'${parent}'` : "null"})`;

beforeAll(async () => {
  database = await createTestDatabase();
  await withClient(database.runtimeUrl, async (client) => {
    for (const tenant of TENANTS) await fillTenant(client, tenant);
    await client.query(
      "insert into signing_key (kid, public_jwk, wrapped_private, wrapped_by) values ('k', '{}', '\\x00', 'w')",
    );
  });
  await withClient(database.superuserUrl, (client) => client.query(`create role ${READER} login in role remit_reader`));
});

afterAll(async () => {
  await database.drop();
  await withClient(postgresOf(database.superuserUrl), (client) => client.query(`drop role ${READER}`));
});

function postgresOf(url: string): string {
  const changed = new URL(url);
  changed.pathname = "/postgres";
  return changed.toString();
}

const asRuntime = (sql: string) => withClient(database.runtimeUrl, (client) => client.query(sql));

/** SQL of a person who looks into the database, with or without a tenant named. */
async function asReader(sql: string, tenant?: string) {
  const url = new URL(database.superuserUrl);
  url.username = READER;
  return withClient(url.toString(), async (client) => {
    if (tenant !== undefined) await client.query("select set_config('remit.tenant', $1, false)", [tenant]);
    return client.query(sql);
  });
}

const policyTables = [
  "policy_version",
  "active_policy",
  "policy_activation",
  "policy_rollout",
  "policy_rollout_version",
];
const shown = [
  "tenant",
  "revision",
  "agent",
  "tool",
  "budget",
  "principal_group",
  ...["issuer", "issuer_audience", "binding"],
  ...policyTables,
  "revocation",
  "session",
  "call",
  "record",
];
const denied = { code: "42501" };
const foreign = { code: "23503" };

test("every table with a tenant is behind the wall, so that a new one cannot be forgotten", async () => {
  const { rows } = await withClient(database.superuserUrl, (client) =>
    client.query<{ name: string; walled: boolean; policies: string[] }>(`
      select c.relname as name, c.relrowsecurity as walled,
        array(select p.polname::text from pg_policy p where p.polrelid = c.oid order by 1) as policies
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and (c.relname = 'tenant' or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant'))`),
  );
  expect(rows.length).toBeGreaterThan(shown.length);
  for (const row of rows) expect(row).toMatchObject({ walled: true, policies: ["named_tenant", "service"] });
});

test("nobody takes an audience that names another tenant, or a pair that another has", async () => {
  const audience = (of: string) =>
    `insert into issuer_audience (issuer, audience, tenant, name) values ('https://id.example', '${of}', 'acme', 'idp')`;
  await expect(asRuntime(audience("remit:other"))).rejects.toMatchObject({ code: "23514" });
  await expect(asRuntime(audience("remit:globex"))).rejects.toMatchObject({ code: "23514" });
  await expect(asRuntime(audience("remit:acme"))).rejects.toMatchObject({ code: "23505" });
});

test("a reader sees the tenant that it named, and without a name nothing", async () => {
  const column = (table: string) => (table === "tenant" ? "id" : "tenant");
  for (const table of [...shown, "caller"]) {
    const sql = `select ${column(table)} as tenant from ${table}`;
    expect((await asReader(sql)).rows, table).toEqual([]);
    expect((await asReader(sql, "")).rows, table).toEqual([]);
    expect((await asReader(sql, "nobody")).rows, table).toEqual([]);
    for (const tenant of TENANTS) expect((await asReader(sql, tenant)).rows, table).toEqual([{ tenant }]);
    const other = `select from ${table} where ${column(table)} = 'globex'`;
    expect((await asReader(other, "acme")).rowCount, table).toBe(0);
  }
  const joined = "select r.id from record r join session s on s.id = r.session join caller c on c.id = s.opened_by";
  expect((await asReader(joined, "acme")).rows).toEqual([{ id: ids.acme.session }]);
});

test("a reader changes nothing, and sees no key of any kind, nor what lies beside the wall", async () => {
  for (const table of [...shown, "caller", "data_key", "signing_key"]) {
    await expect(asReader(`delete from ${table}`, "acme"), table).rejects.toMatchObject(denied);
    await expect(asReader(`truncate ${table}`, "acme"), table).rejects.toMatchObject(denied);
  }
  for (const sql of [
    "select key_hash from caller",
    "select * from caller",
    "select * from data_key",
    "select * from signing_key",
    "select * from record_default",
    `select * from record_${new Date().toISOString().slice(0, 10).replaceAll("-", "")}`,
    "select * from writer",
    "select * from cell",
    "select remit_grant_reader('remit_reader')",
    "select remit_ensure_partitions(1)",
    "insert into tenant (id) values ('mine')",
    "update tenant set status = 'active'",
    "alter table tenant disable row level security",
    "set role remit_runtime",
    "set row_security = off; select * from tenant",
    "create table mine ()",
  ]) {
    await expect(asReader(sql, "acme"), sql).rejects.toMatchObject(denied);
  }
});

test("a role that was granted a look by mistake sees no more than a reader", async () => {
  const stranger = `stranger_${randomBytes(4).toString("hex")}`;
  await withClient(database.superuserUrl, async (client) => {
    await client.query(`create role ${stranger}`);
    await client.query(`grant usage on schema public to ${stranger}; grant select on record to ${stranger}`);
    await client.query(`set role ${stranger}`);
    expect((await client.query("select from record")).rowCount).toBe(0);
    await client.query("set remit.tenant = 'acme'");
    expect((await client.query("select from record")).rowCount).toBe(1);
    await client.query(`reset role; drop owned by ${stranger}; drop role ${stranger}`);
  });
});

test("the service sees all, and its plans filter by nothing but what they ask", async () => {
  for (const table of [...shown, "caller", "data_key"]) {
    const { rowCount } = await asRuntime(`select from ${table}`);
    expect(rowCount, table).toBe(TENANTS.length);
    const { rows } = await asRuntime(`explain select from ${table}`);
    expect(JSON.stringify(rows), table).not.toContain("Filter");
  }
});

test("a row refers to rows of its own tenant alone", async () => {
  const { acme, globex } = ids;
  const statements = [
    session_(randomUUID(), "acme", globex.caller),
    session_(randomUUID(), "acme", acme.caller, globex.session),
    "insert into active_policy (tenant, policy, version, revision) values ('acme', 'house-of-globex', 1, 0)",
    "update active_policy set version = 2 where tenant = 'acme'",
    `insert into policy_version (tenant, policy, version, digest, document, source, rules, published_by)
     values ('acme', 'more', 1, '${hex(32, "05")}', '{}', '', 0, '${globex.caller}')`,
    `insert into policy_rollout_version (tenant, rollout, policy, version)
     values ('acme', '${globex.session}', 'house-of-acme', 1)`,
    `insert into revocation (tenant, id, kind, subject, reason, made_by, revision)
     values ('acme', gen_random_uuid(), 'tool', 'x', '', '${globex.caller}', 0)`,
    `update revocation set lifted_at = now(), lifted_by = '${globex.caller}' where tenant = 'acme'`,
    `insert into policy_rollout_version (tenant, rollout, policy, version)
     values ('acme', '${acme.session}', 'house-of-globex', 1)`,
    "insert into revision (tenant) values ('nobody')",
    `insert into caller (id, tenant, name, revision) values ('${randomUUID()}', 'nobody', 'x', 0)`,
  ];
  for (const sql of statements) await expect(asRuntime(sql), sql).rejects.toMatchObject(foreign);
  // The same within one tenant is taken.
  await asRuntime(session_(randomUUID(), "acme", acme.caller, acme.session));
});

test("the service's role cannot move a row to another tenant, nor make a cell operator outside the first one", async () => {
  for (const table of [
    "caller",
    "agent",
    "tool",
    "budget",
    "principal_group",
    ...policyTables,
    "revocation",
    "session",
    "revision",
    "record",
    "call",
    "data_key",
  ]) {
    await expect(asRuntime(`update ${table} set tenant = 'globex'`), table).rejects.toMatchObject(denied);
  }
  await expect(asRuntime("update tenant set id = 'x'")).rejects.toMatchObject(denied);
  await expect(asRuntime("update session set opened_by = gen_random_uuid()")).rejects.toMatchObject(denied);
  await expect(asRuntime("update caller set roles = '{cell-operator}'")).rejects.toMatchObject({ code: "23514" });
  for (const sql of ["alter table record no force row level security", "drop policy service on record"]) {
    await expect(asRuntime(sql), sql).rejects.toMatchObject(denied);
  }
});
