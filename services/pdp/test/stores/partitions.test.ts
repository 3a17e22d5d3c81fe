import { afterEach, beforeEach, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
/** The days as they were migrated, counted from today: one behind where midnight has passed since. */
let migrated: unknown[];
beforeEach(async () => {
  database = await createTestDatabase();
  migrated = [];
  for (const table of ["call", "record"]) migrated.push(...(await rowsOf(database.superuserUrl, DAYS_AHEAD, [table])));
  await ensure(7);
});
afterEach(() => database.drop());

const rowsOf = async (url: string, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await withClient(url, (client) => client.query(sql, values))).rows;
const ensure = async (days: number): Promise<unknown> =>
  (await rowsOf(database.runtimeUrl, "select remit_ensure_partitions($1) as made", [days]))[0]?.made;
const strays = async (): Promise<unknown> =>
  (await rowsOf(database.runtimeUrl, "select remit_default_partition_rows()::int as n"))[0]?.n;

/** Inserts a record of a day so many days ahead, and tells which partition it stands in, counted from today. */
async function record(ahead: number, n: number): Promise<void> {
  await rowsOf(
    database.runtimeUrl,
    `insert into record (day, writer, n, ord, id, tenant, kind, digest, body)
     values ((now() at time zone 'utc')::date + $1::int, 1, $2, 1, gen_random_uuid(), 't', 'decision', sha256('x'), 'x')`,
    [ahead, n],
  );
}

const DAYS_AHEAD = `select string_agg((to_date(substr(c.relname, length(p.relname) + 2), 'YYYYMMDD') - (now() at time zone 'utc')::date)::text, ','
    order by c.relname) as days from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
  where p.relname = $1 and p.relkind = 'p' and c.relname not like '%default'`;

test("a migrated database has its first day and seven more, and is asked for today and seven days ahead", async () => {
  expect([
    [{ days: "0,1,2,3,4,5,6,7" }, { days: "0,1,2,3,4,5,6,7" }],
    [{ days: "-1,0,1,2,3,4,5,6" }, { days: "-1,0,1,2,3,4,5,6" }],
  ]).toContainEqual(migrated);
  for (const table of ["call", "record"]) {
    const [{ days } = {}] = await rowsOf(database.superuserUrl, DAYS_AHEAD, [table]);
    expect(days).toMatch(/^(-1,)?0,1,2,3,4,5,6,7$/);
  }
  expect(await ensure(7)).toBe(0);
});

test("eight that ask at once make each partition once", async () => {
  const made = await Promise.all(Array.from({ length: 8 }, () => ensure(9)));
  expect(made.sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 4]);
});

test("inserts go on while partitions are made", async () => {
  let making = true;
  const inserting = (async () => {
    let n = 0;
    while (making) await record(0, ++n);
    return n;
  })();
  expect(await ensure(40)).toBe(66);
  making = false;
  const n = await inserting;
  expect(await rowsOf(database.runtimeUrl, "select count(*)::int as n from record")).toEqual([{ n }]);
});

test("a row of a day that nobody made is kept and counted, and its day stays where it is", async () => {
  expect(await strays()).toBe(0);
  await record(9, 1);
  expect(await strays()).toBe(1);
  expect(await ensure(10)).toBe(5);
  expect(await rowsOf(database.superuserUrl, DAYS_AHEAD, ["record"])).toEqual([
    { days: expect.stringMatching(/^(-1,)?0,1,2,3,4,5,6,7,8,10$/) },
  ]);
  await record(9, 2);
  expect(await strays()).toBe(2);
  expect(await rowsOf(database.runtimeUrl, "select count(*)::int as n from record")).toEqual([{ n: 2 }]);
});

test("a number of days out of range is refused", async () => {
  for (const days of [-1, 61]) await expect(ensure(days)).rejects.toMatchObject({ code: "22023" });
});

test("every partition has the keys and checks of its parent, and keeps an entry of 6 KB in its row", async () => {
  await record(0, 1);
  await expect(record(0, 1)).rejects.toMatchObject({ code: "23505" });
  await expect(record(0, 0)).rejects.toMatchObject({ code: "23514" });
  await rowsOf(
    database.runtimeUrl,
    `insert into record (day, writer, n, ord, id, tenant, kind, digest, body)
     select (now() at time zone 'utc')::date, 2, 1, 1, gen_random_uuid(), 't', 'decision', sha256('x'),
       (select string_agg(sha256(i::text::bytea), '') from generate_series(1, 190) i)`,
  );
  expect(
    await rowsOf(
      database.superuserUrl,
      `select pg_relation_size(c.reltoastrelid) as toast from pg_class c
        where c.relname = 'record_' || to_char(now() at time zone 'utc', 'YYYYMMDD')`,
    ),
  ).toEqual([{ toast: "0" }]);
});

test("a function of another schema cannot stand in for the store's own", async () => {
  await rowsOf(database.superuserUrl, "create schema evil");
  await rowsOf(database.superuserUrl, "grant create, usage on schema evil to remit_service");
  await withClient(database.runtimeUrl, async (client) => {
    await client.query(
      "create function evil.to_regclass(text) returns regclass language sql as 'select 1/0; select null::regclass'",
    );
    await client.query("set search_path = evil, public, pg_catalog");
    expect((await client.query("select public.remit_ensure_partitions(7) as made")).rows).toEqual([{ made: 0 }]);
  });
});
