import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const asRuntime = (sql: string): Promise<unknown> => withClient(database.runtimeUrl, (client) => client.query(sql));
const denied = { code: "42501" };

const updatable: Record<string, string> = {
  account: "ceiling,freeze_reason,frozen,frozen_at,frozen_by,frozen_why,hard,held,overage,own_limit,posted",
  active_policy: "activated_at,revision,version",
  agent: "digest,document,revision,source",
  binding: "agents,caller_group,issuer,may_assert_principals,revision,roles,subject",
  budget: "digest,document,freeze_reason,frozen,frozen_at,frozen_by,revision,source",
  cell: "keys_revision,sealing",
  caller: "agents,may_assert_principals,name,revision,revoked,roles",
  change: "ended_by,ended_entry,ended_why,state",
  data_key: "destroyed_at,wrapped,wrapped_by",
  heartbeat: "beats",
  hold: "accounts,amounts,decision,expires_at,pending",
  issuer:
    "algorithms,claims,issuer,jwks,jwks_uri,principal_prefix,profile,revision,session_seconds_max,token_seconds_max,use",
  policy_rollout: "ended_as,ended_at,ended_by,revision,share,share_set_at",
  policy_version: "validated_at,validated_by",
  principal_group: "digest,document,revision,source",
  replica: "alive",
  revision: "policy,security",
  revocation: "lift_reason,lifted_at,lifted_by,lifted_revision",
  seq_cursor: "day,ended,n",
  session: "closed_at,revision,state",
  signing_key: "retired_at,wrapped_by,wrapped_private",
  tenant: "breakers,mode,observe_agents,people,quotas,status,unbudgeted,workload_prefixes",
  tool: "digest,document,revision,source",
  tree_head: "moved_at,size",
  writer: "alive,last_n",
};
const deletable = [
  ...["active_policy", "agent", "binding", "budget", "heartbeat", "hold", "issuer", "issuer_audience"],
  ...["principal_group", "tool"],
];
const readable = [
  "breaker_reset",
  "call",
  "change_approval",
  "hold_resolution",
  "issuer_audience",
  "leaf",
  "policy_rollout_version",
  "record",
  ...Object.keys(updatable),
];

test("the runtime role has exactly the rights that are written down here", async () => {
  const { rows } = await withClient(database.superuserUrl, (client) =>
    client.query<{ name: string; rights: string; columns: string | null }>(`
      select c.relname as name,
        concat_ws(',', case when has_table_privilege('remit_service', c.oid, 'select') then 'select' end,
          case when has_table_privilege('remit_service', c.oid, 'insert') then 'insert' end,
          case when has_table_privilege('remit_service', c.oid, 'update') then 'update' end,
          case when has_table_privilege('remit_service', c.oid, 'delete') then 'delete' end,
          case when has_table_privilege('remit_service', c.oid, 'truncate,references,trigger,maintain') then 'more' end) as rights,
        (select string_agg(a.attname, ',' order by a.attname) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
          and has_column_privilege('remit_service', c.oid, a.attnum, 'update')) as columns
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')`),
  );
  const found = Object.fromEntries(rows.filter(({ rights }) => rights !== "").map((row) => [row.name, row]));
  const rightsOf = (name: string) => {
    // Their times are the store's.
    if (name === "hold_resolution") return "select";
    // A writer has its cursor from its birth on, by a trigger; there is one head.
    if (name === "seq_cursor" || name === "tree_head") return "select";
    // An account is opened by a function alone: the store's clock says which window is current.
    if (name.startsWith("change") || name === "account") return "select";
    return deletable.includes(name) ? "select,insert,delete" : "select,insert";
  };
  const expected = readable.map((name) => ({
    name,
    // Of proposed changes it inserts some columns, and not their states and times.
    rights: rightsOf(name),
    columns: updatable[name] ?? null,
  }));
  // What the service only reads: its owner writes the one, a trigger the other.
  const readOnly = ["schema_migration", "policy_activation"].map((name) => ({ name, rights: "select", columns: null }));
  expect(found).toEqual(Object.fromEntries([...expected, ...readOnly].map((row) => [row.name, row])));
});

test("a record and a call can be neither changed nor deleted", async () => {
  for (const table of ["record", "call", "record_default", "call_default"]) {
    await expect(asRuntime(`update ${table} set id = gen_random_uuid()`)).rejects.toMatchObject(denied);
    await expect(asRuntime(`delete from ${table}`)).rejects.toMatchObject(denied);
    await expect(asRuntime(`truncate ${table}`)).rejects.toMatchObject(denied);
    await expect(asRuntime(`drop table ${table}`)).rejects.toMatchObject(denied);
  }
});

test("the runtime role alters nothing, makes nothing, and does not become its owner", async () => {
  for (const sql of [
    "alter table tenant add column more text",
    "create table mine (id integer)",
    "create temporary table mine (id integer)",
    "create function mine() returns int language sql as 'select 1'",
    "create schema mine",
    "create role mine",
    "set role remit_owner",
    "alter table record detach partition record_default",
    "insert into record_default (day) values (current_date)",
    "insert into schema_migration (number) values (99)",
    "update cell set timeline = 9",
    "select setval('record_ord', 1)",
    "update caller set key_hash = null",
    "select * from pg_authid",
  ]) {
    await expect(asRuntime(sql), sql).rejects.toMatchObject(denied);
  }
});

test("nobody but the two roles may do anything here", async () => {
  const { rows } = await withClient(database.superuserUrl, (client) =>
    client.query(`select p.proname as name from pg_proc p where p.pronamespace = 'public'::regnamespace
                  and has_function_privilege('public', p.oid, 'execute')
                  union all select c.relname from pg_class c, aclexplode(c.relacl) a
                  where c.relnamespace = 'public'::regnamespace and a.grantee = 0`),
  );
  expect(rows).toEqual([]);
});

test("a writer's row can be locked and shut out by the runtime role", async () => {
  const id = "00000000-0000-7000-8000-000000000001";
  await withClient(database.runtimeUrl, async (client) => {
    await client.query("insert into replica (id, host) values ($1, 'here')", [id]);
    const { rows } = await client.query("insert into writer (replica, pid) values ($1, 1) returning writer", [id]);
    await client.query("begin isolation level read committed");
    await client.query("select from writer where writer = $1 and alive for no key update", [rows[0]?.writer]);
    await client.query("update replica set alive = false where id = $1", [id]);
    await client.query("update writer set alive = false, last_n = 0 where writer = $1", [rows[0]?.writer]);
    await client.query("commit");
    expect((await client.query("select nextval('record_ord') > 0 as ord")).rows).toEqual([{ ord: true }]);
  });
});
