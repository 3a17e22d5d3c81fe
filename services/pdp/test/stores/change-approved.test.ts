import { createHash, randomBytes, randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../support/test-database.ts";
import { ada, bob, cay, createTwoPeople, DENIED, digest, key, MOVED, NEEDS, REFUSED } from "../support/two-people.ts";

/*
 * What of a change that others agreed to the database lets its transaction write, and what not: tried by hand as the service's role.
 */

let house: Awaited<ReturnType<typeof createTwoPeople>>;
beforeAll(async () => {
  house = await createTwoPeople();
});
afterAll(() => house.drop());

const within: typeof house.within = (work, keep) => house.within(work, keep);
const one = (sql: string) => house.one(sql);

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
    await withClient(house.superuserUrl, async (client) => {
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
