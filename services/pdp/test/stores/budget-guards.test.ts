import { randomBytes, randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holdFor, openAccount, setBooks } from "../support/books.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

/*
 * What the database holds of budgets by itself in a tenant that takes two people, tried with SQL written by hand as the
 * service's role. `solo` takes one person.
 */

let database: TestDatabase;
const NEEDS = { code: "RM001" };
const REFUSED = { code: "23514" };
const ada = randomUUID();
const accounts: Record<string, string> = {};

const MICROS = 1_000_000;
const session = randomUUID();

beforeAll(async () => {
  database = await createTestDatabase();
  await withClient(database.superuserUrl, async (client) => {
    await client.query("insert into tenant (id) values ('acme'), ('solo')");
    for (const tenant of ["acme", "solo"]) {
      await client.query(
        "insert into caller (id, tenant, name, key_hash, roles, agents, revision) values ($1, $2, 'ada', $3, '{owner}', '{}', 0)",
        [tenant === "acme" ? ada : randomUUID(), tenant, randomBytes(32)],
      );
      for (const [name, enforcement] of [
        ["hard", "hard"],
        ["soft", "soft"],
      ]) {
        const document = { spec: { unit: "EUR", limit: "100", window: "day", owner: "tenant", enforcement } };
        await client.query(
          "insert into budget (tenant, name, document, source, digest, revision) values ($1, $2, $3, '', $4, 0)",
          [tenant, name, document, randomBytes(32)],
        );
      }
    }
    await client.query("update budget set frozen = true, frozen_at = now() where name = 'soft'");
  });
  for (const tenant of ["acme", "solo"]) {
    accounts[tenant] = await openAccount(database, tenant, { budget: "hard" });
    await setBooks(database, accounts[tenant] ?? "", { posted: 40 });
  }
  await withClient(database.superuserUrl, (client) => client.query("update tenant set people = 2 where id = 'acme'"));
});
afterAll(() => database.drop());

/** Runs in one transaction of the service's role, which is taken back. */
async function within(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  await withClient(database.runtimeUrl, async (client) => {
    await client.query("begin");
    await work(client);
    await client.query("set constraints all immediate");
    await client.query("rollback");
  });
}

const one = (sql: string, tenant: string) => {
  const filled = sql.replaceAll("TENANT", tenant).replaceAll("ACCOUNT", accounts[tenant] ?? "0");
  return within(async (client) => {
    for (const statement of filled.split(";")) await client.query(statement);
  });
};

const document = (spec: object) =>
  `'${JSON.stringify({ spec: { unit: "EUR", limit: "100", window: "day", owner: "tenant", enforcement: "hard", ...spec } })}'`;

test.each([
  ["a higher limit of one account", `update account set own_limit = ${101 * MICROS} where id = ACCOUNT`],
  [
    "a limit that is taken away where it was lower than the budget's",
    `update account set own_limit = ${50 * MICROS} where id = ACCOUNT; update account set own_limit = null where id = ACCOUNT`,
  ],
  [
    "a higher limit after a lower one",
    `update account set own_limit = 0 where id = ACCOUNT; update account set own_limit = 1 where id = ACCOUNT`,
  ],
  [
    "a thawed account",
    "update account set frozen = true, frozen_at = now() where id = ACCOUNT; update account set frozen = false, frozen_at = null where id = ACCOUNT",
  ],
  ["a thawed budget", "update budget set frozen = false where tenant = 'TENANT' and name = 'soft'"],
  [
    "a budget whose limit is raised",
    `update budget set document = ${document({ limit: "100.5" })} where tenant = 'TENANT' and name = 'hard'`,
  ],
  [
    "a budget that refuses no longer",
    `update budget set document = ${document({ enforcement: "soft" })} where tenant = 'TENANT' and name = 'hard'`,
  ],
  [
    "a budget that begins anew by another unit and back",
    `update budget set document = ${document({ unit: "USD" })} where tenant = 'TENANT' and name = 'hard'`,
  ],
  ["a frozen budget that is declared anew", "delete from budget where tenant = 'TENANT' and name = 'soft'"],
  [
    "a hold that is released",
    `insert into hold_resolution (tenant, hold, decision, released, reason, resolved_by, ending)
     select 'TENANT', gen_random_uuid(), gen_random_uuid(), true, 'x', c.id, gen_random_uuid() from caller c where c.tenant = 'TENANT'`,
  ],
])("%s is refused where two people are needed, and not where one is enough", async (_what, sql) => {
  await expect(one(sql, "acme")).rejects.toMatchObject(NEEDS);
  await one(sql, "solo");
});

test.each([
  ["a lower limit of one account", `update account set own_limit = ${99 * MICROS} where id = ACCOUNT`],
  ["a limit below what is spent", "update account set own_limit = 0 where id = ACCOUNT"],
  [
    "a frozen account",
    "update account set frozen = true, frozen_at = now(), frozen_why = 'administrator' where id = ACCOUNT",
  ],
  ["a frozen budget", "update budget set frozen = true where tenant = 'TENANT' and name = 'hard'"],
  [
    "a lower limit of a budget",
    `update budget set document = ${document({ limit: "0" })} where tenant = 'TENANT' and name = 'hard'`,
  ],
  [
    "a hold that is resolved as spent",
    `insert into hold_resolution (tenant, hold, decision, released, reason, resolved_by, ending)
     values ('TENANT', gen_random_uuid(), gen_random_uuid(), false, 'x', '${ada}', gen_random_uuid())`,
  ],
])("%s takes one person", async (_what, sql) => {
  await one(sql, "acme");
});

let n = 0n;

/** An expiry as the service's own statement would write it. */
async function expire(client: pg.Client, tenant: string, hold: string, posted: number, ending: string = randomUUID()) {
  await client.query(
    `insert into record (day, writer, n, ord, id, tenant, session, kind, subject, digest, body, accounts, held, posted)
     values ((now() at time zone 'utc')::date, 1, $1, 1, $2, $3, $4, 'expiry', $5, $6, '', $7, $8, $9)`,
    [++n, ending, tenant, session, hold, randomBytes(32), [accounts[tenant]], [-MICROS], [posted * MICROS]],
  );
}

test("an expiry counts what a hard budget held as spent, whoever writes it, unless an operator said otherwise in the same transaction", async () => {
  for (const tenant of ["acme", "solo"]) {
    const { hold } = await holdFor(database, tenant, { budget: "hard", session });
    await within((client) => expire(client, tenant, hold, 1));
    await expect(within((client) => expire(client, tenant, hold, 0))).rejects.toMatchObject(REFUSED);
    const { hold: pending } = await holdFor(database, tenant, { budget: "hard", session, pending: true });
    await within((client) => expire(client, tenant, pending, 0));
  }
  const { hold } = await holdFor(database, "solo", { budget: "hard", session });
  const resolve = (client: pg.Client, ending: string) =>
    client.query(
      `insert into hold_resolution (tenant, hold, decision, released, reason, resolved_by, ending)
       select 'solo', $1, $1, true, 'x', c.id, $2 from caller c where c.tenant = 'solo'`,
      [hold, ending],
    );
  const ending = randomUUID();
  await within(async (client) => {
    await resolve(client, ending);
    await expire(client, "solo", hold, 0, ending);
  });
  const another = async (client: pg.Client) => {
    await resolve(client, ending);
    await expire(client, "solo", hold, 0);
  };
  await expect(within(another)).rejects.toMatchObject(REFUSED);
});

/** Of an account that may be opened, but for what is said. */
const opened = (own: Record<string, string>) => {
  const fit = {
    ...{
      tenant: "'acme'",
      budget: "'hard'",
      series: "'x'",
      unit: "'EUR'",
      instance: "sha256(gen_random_uuid()::text::bytea)",
    },
    ...{ opens_at: "now()", closes_at: "'infinity'", hard: "false", ceiling: "0", ...own },
  };
  const sql = `insert into account (${Object.keys(fit)}) values (${Object.values(fit)})`;
  return withClient(database.ownerUrl, async (client) => {
    await client.query("begin");
    await client.query(sql);
    await client.query("rollback");
  });
};

test("an account is opened as there may be one", async () => {
  await opened({});
});

test.each<Record<string, string>>([
  { key: "repeat('x', 8193)" },
  { instance: "'x'" },
  { closes_at: "now()" },
  { series: "null" },
  { budget: "null" },
  { budget: "null", series: "null", own_limit: "1" },
  { budget: "null", series: "null", session: "gen_random_uuid()" },
  { own_limit: "-1" },
  { own_limit: "2305843009213693953" },
  { alarm: "-1" },
  { alarm: "2305843009213693953" },
  { crowd: "'x'" },
  { nth: "0" },
  { freeze_reason: "repeat('x', 4097)" },
  { held: "-1" },
  { posted: "-1" },
  { overage: "-1" },
  { frozen: "true" },
  { frozen_why: "'x'" },
  { hard: "true", held: "1" },
])("no account is opened with %o", async (own) => {
  await expect(opened(own)).rejects.toMatchObject(REFUSED);
});

test.each([
  "own_limit = -1",
  "freeze_reason = repeat('x', 4097)",
  "held = -1",
  "posted = -1",
  "overage = -1",
  "frozen = true",
  "frozen_why = 'x', frozen_at = now(), frozen = true",
  "hard = true, ceiling = 0, held = 1",
])("no account is changed by %s", async (set) => {
  await expect(one(`update account set ${set} where id = ACCOUNT`, "acme")).rejects.toMatchObject(REFUSED);
});

test("the service's role opens no account by hand, and dates none of what it resolves", async () => {
  const denied = { code: "42501" };
  const open =
    "insert into account (tenant, budget, series, unit, instance, opens_at, closes_at, hard, ceiling) values ('acme', 'hard', 'x', 'EUR', decode(repeat('00', 32), 'hex'), now(), 'infinity', false, 0)";
  await expect(one(open, "acme")).rejects.toMatchObject(denied);
  const dated = `insert into hold_resolution (tenant, hold, decision, released, reason, resolved_by, ending, resolved_at)
     values ('TENANT', gen_random_uuid(), gen_random_uuid(), false, 'x', '${ada}', gen_random_uuid(), now())`;
  await expect(one(dated, "acme")).rejects.toMatchObject(denied);
  await expect(one("update hold_resolution set released = true", "acme")).rejects.toMatchObject(denied);
  await expect(one("delete from hold_resolution", "acme")).rejects.toMatchObject(denied);
});
