import { createHash, randomBytes, randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

/*
 * What the database holds by itself in a tenant that takes two people, tried with SQL written by hand as the service's
 * role: whoever has that role and no second person widens nothing.
 */

let database: TestDatabase;
const [ada, bob, cay, key] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
const NEEDS = { code: "RM001" };
const MOVED = { code: "RM002" };
const REFUSED = { code: "RM003" };
const DENIED = { code: "42501" };

const allowAll = JSON.stringify({ spec: { rules: [{ id: "a", effect: "allow", match: {} }] } });
const denies = JSON.stringify({ spec: { rules: [{ id: "d", effect: "deny", match: {} }] } });
const digest = randomBytes(32);

beforeAll(async () => {
  database = await createTestDatabase();
  await withClient(database.superuserUrl, async (client) => {
    const run = (sql: string, values: unknown[] = []) => client.query(sql, values);
    await run("insert into tenant (id) values ('acme'), ('solo')");
    for (const [id, name, by] of [
      [ada, "ada", null],
      [bob, "bob", null],
      [cay, "cay", null],
      [key, "of-ada", ada],
    ]) {
      await run(
        `insert into caller (id, tenant, name, key_hash, roles, agents, created_by, revision)
         values ($1, 'acme', $2, $3, '{owner}', '{a,b}', $4, 0)`,
        [id, name, randomBytes(32), by],
      );
    }
    for (const tenant of ["acme", "solo"]) {
      for (const table of ["agent", "tool", "budget", "principal_group"]) {
        const document = { spec: { status: "active", limit: "100" } };
        await run(
          `insert into ${table} (tenant, name, document, source, digest, revision) values ($1, 'one', $2, '', $3, 0)`,
          [tenant, document, digest],
        );
      }
      await run(
        `insert into tool (tenant, name, document, source, digest, revision)
         values ($1, 'held', '{"spec": {"status": "suspended"}}', '', $2, 0), ($1, 'bound', '{"spec": {"mode": "enforce"}}', '', $2, 0)`,
        [tenant, digest],
      );
      for (const [policy, version, document] of [
        ["allows", 1, allowAll],
        ["allows", 2, allowAll],
        ["denies", 1, denies],
      ]) {
        await run(
          `insert into policy_version (tenant, policy, version, digest, document, source, rules)
           values ($1, $2, $3, $4, $5, '', 1)`,
          [tenant, policy, version, randomBytes(32), document],
        );
      }
      await run(
        "insert into active_policy (tenant, policy, version, revision) values ($1, 'allows', 1, 0), ($1, 'denies', 1, 0)",
        [tenant],
      );
    }
    await run("update tenant set people = 2 where id = 'acme'");
  });
});
afterAll(() => database.drop());

/** Runs in one transaction of the service's role; keeps it when `keep` says so. */
async function within<Answer>(work: (client: pg.Client) => Promise<Answer>, keep = false): Promise<Answer> {
  return withClient(database.runtimeUrl, async (client) => {
    await client.query("begin");
    const answer = await work(client);
    // What is checked at the end of a transaction is checked here.
    await client.query("set constraints all immediate");
    await client.query(keep ? "commit" : "rollback");
    return answer;
  });
}

const one = (sql: string) => within((client) => client.query(sql));

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

const ROW = {
  table: "active_policy",
  was: { policy: "allows", version: 1 },
  becomes: { policy: "allows", version: 2 },
};
const ACTIVATE = "update active_policy set version = 2 where tenant = 'acme' and policy = 'allows'";

let n = 0n;

/** An entry of the ledger, as every step needs one. */
async function entry(client: pg.Client): Promise<string> {
  const id = randomUUID();
  await client.query(
    `insert into record (day, writer, n, ord, id, tenant, kind, digest, body)
     values ((now() at time zone 'utc')::date, 1, $1, 1, $2, 'acme', 'admin', $3, '')`,
    [++n, id, digest],
  );
  return id;
}

interface Forged {
  readonly digest?: Buffer;
  readonly said?: object;
  readonly expires?: string;
  readonly by?: string;
  readonly rows?: readonly object[];
}

async function propose(client: pg.Client, { by = ada, rows = [ROW], ...forged }: Forged = {}) {
  const id = randomUUID();
  const request = JSON.stringify({ id, tenant: "acme", by, rows, ...forged.said });
  const of = forged.digest ?? createHash("sha256").update(`remit/change/v1\n${request}`).digest();
  await client.query(
    `insert into change (id, tenant, request, digest, proposed_by, expires_at, entry)
     values ($1, 'acme', $2, $3, $4, now() + $5::interval, $6)`,
    [id, request, of, by, forged.expires ?? "1 hour", await entry(client)],
  );
  return { id, digest: of };
}

type Proposed = Awaited<ReturnType<typeof propose>>;

async function approve(client: pg.Client, change: Proposed, by: string, seen = change.digest): Promise<void> {
  await client.query(
    "insert into change_approval (tenant, change, approver, digest, entry) values ('acme', $1, $2, $3, $4)",
    [change.id, by, seen, await entry(client)],
  );
}

async function end(client: pg.Client, change: Proposed, as = "applied", by: string | null = ada): Promise<void> {
  const sql = "update change set state = $2, ended_by = $3, ended_entry = $4 where id = $1";
  await client.query(sql, [change.id, as, by, await entry(client)]);
}

test("with another's approval a change is made in the transaction that applies it, and there alone", async () => {
  await within(async (client) => {
    const change = await propose(client);
    await approve(client, change, bob);
    await end(client, change);
    await client.query(ACTIVATE);
  });
  // In the next transaction the change that was applied is of no use.
  const change = await within(async (client) => {
    const proposed = await propose(client);
    await approve(client, proposed, bob);
    await end(client, proposed);
    return proposed;
  }, true);
  await expect(one(ACTIVATE)).rejects.toMatchObject(NEEDS);
  await expect(within((client) => end(client, change))).rejects.toMatchObject(REFUSED);
});

test("an applied change permits the rows that were agreed to, as they were and as they become, and no others", async () => {
  const after = (sql: string, rows: readonly object[] = [ROW]) =>
    within(async (client) => {
      const change = await propose(client, { rows });
      await approve(client, change, bob);
      await end(client, change);
      await client.query(sql);
    });
  await after(ACTIVATE);
  await expect(after("delete from active_policy where tenant = 'acme' and policy = 'denies'")).rejects.toMatchObject(
    MOVED,
  );
  await expect(after("update tenant set people = 1 where id = 'acme'")).rejects.toMatchObject(MOVED);
  // What it was to replace has changed since.
  await expect(after(ACTIVATE, [{ ...ROW, was: { policy: "allows", version: 9 } }])).rejects.toMatchObject(MOVED);
  await expect(after(ACTIVATE, [{ ...ROW, becomes: { policy: "allows", version: 9 } }])).rejects.toMatchObject(MOVED);
  await expect(after(ACTIVATE, [{ table: "active_policy" }])).rejects.toMatchObject(MOVED);
});

test.each<[string, (client: pg.Client, change: Proposed) => Promise<void>]>([
  ["nobody", (client, change) => end(client, change)],
  ["its proposer", (client, change) => approve(client, change, ada)],
  ["a key that its proposer made", (client, change) => approve(client, change, key)],
  ["one who saw something else", (client, change) => approve(client, change, bob, randomBytes(32))],
  [
    "one person twice",
    async (client, change) => {
      await client.query("update tenant set people = 3 where id = 'acme'");
      await approve(client, change, bob);
      await approve(client, change, bob);
    },
  ],
  [
    "too few",
    async (client, change) => {
      await client.query("update tenant set people = 3 where id = 'acme'");
      await approve(client, change, bob);
      await end(client, change);
    },
  ],
  [
    "one whose key was revoked since",
    async (client, change) => {
      await approve(client, change, bob);
      await client.query(`update caller set revoked = true where id = '${bob}'`);
      await end(client, change);
    },
  ],
  [
    "another, while its proposer was revoked since",
    async (client, change) => {
      await approve(client, change, bob);
      await client.query(`update caller set revoked = true where id = '${ada}'`);
      await end(client, change);
    },
  ],
  [
    "another, after it was rejected",
    async (client, change) => {
      await end(client, change, "rejected", cay);
      await approve(client, change, bob);
    },
  ],
])("what was approved by %s is not applied", async (_who, steps) => {
  const forged = within(async (client) => steps(client, await propose(client)));
  await expect(forged).rejects.toMatchObject(REFUSED);
});

test("an approval by a key counts for its maker too, whichever of the two proposed", async () => {
  await expect(
    within(async (client) => approve(client, await propose(client, { by: key }), ada)),
  ).rejects.toMatchObject(REFUSED);
});

test("what has run out is not approved and not applied, by the store's time", async () => {
  const late = async (steps: (client: pg.Client, change: Proposed) => Promise<void>, approved: boolean) => {
    const change = await within(async (client) => {
      const proposed = await propose(client);
      if (approved) await approve(client, proposed, bob);
      return proposed;
    }, true);
    await withClient(database.superuserUrl, async (client) => {
      await client.query("set session_replication_role = replica");
      await client.query("update change set expires_at = now() where id = $1", [change.id]);
    });
    await within((client) => steps(client, change));
  };
  await expect(late((client, change) => approve(client, change, bob), false)).rejects.toMatchObject(REFUSED);
  await expect(late((client, change) => end(client, change), true)).rejects.toMatchObject(REFUSED);
  await late((client, change) => end(client, change, "expired", null), false);
  await expect(within(async (client) => end(client, await propose(client), "expired", null))).rejects.toMatchObject(
    REFUSED,
  );
});

test("a proposal is what its row and its digest say, and ends", async () => {
  const forged: Forged[] = [
    { digest: randomBytes(32) },
    { said: { tenant: "solo" } },
    { said: { by: bob } },
    { said: { id: randomUUID() } },
    { said: { rows: {} } },
    { expires: "-1 second" },
    { expires: "31 days" },
  ];
  for (const one of forged) {
    await expect(
      within((client) => propose(client, one)),
      JSON.stringify(one),
    ).rejects.toMatchObject(REFUSED);
  }
});

test("a state, a time and a transaction are not the service's to write, and no setting stands for them", async () => {
  const columns = ["state", "applied_in", "proposed_at", "ended_at"];
  for (const column of columns) {
    await expect(one(`insert into change (${column}) values (null)`), column).rejects.toMatchObject(DENIED);
  }
  await expect(one("update change set applied_in = pg_current_xact_id()")).rejects.toMatchObject(DENIED);
  await expect(one("update change set digest = digest")).rejects.toMatchObject(DENIED);
  await expect(one("delete from change_approval")).rejects.toMatchObject(DENIED);
  await expect(one("update caller set created_by = null")).rejects.toMatchObject(DENIED);
  await expect(one("alter table active_policy disable trigger active_policy_guard")).rejects.toMatchObject(DENIED);
  await expect(one("set session_replication_role = replica")).rejects.toMatchObject(DENIED);
  const settings = ["remit.change_by", "remit.change", "remit.people", "remit.tenant"];
  const set = settings.map((name) => `select set_config('${name}', '${ada}', true)`).join(";");
  await expect(one(`${set}; ${ACTIVATE}`)).rejects.toMatchObject(NEEDS);
});

test("no step is taken without its entry in the ledger, of the same transaction", async () => {
  const old = await within((client) => entry(client), true);
  const sql = (id: string) =>
    within(async (client) => {
      const change = await propose(client);
      await client.query(
        "insert into change_approval (tenant, change, approver, digest, entry) values ('acme', $1, $2, $3, $4)",
        [change.id, bob, change.digest, id],
      );
    });
  await expect(sql(randomUUID())).rejects.toMatchObject(REFUSED);
  await expect(sql(old)).rejects.toMatchObject(REFUSED);
});
