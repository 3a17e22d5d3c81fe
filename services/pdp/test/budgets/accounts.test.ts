import type { Pool } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { createBudgetStore } from "../../src/stores/budgets.ts";
import { openPool } from "../../src/stores/database.ts";
import { insertTenant, newRecord, openLedger, SESSION, TENANT } from "../ledger/postgres.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { declare, move, take } from "./books.ts";

let database: TestDatabase;
let pool: Pool;
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
  pool = openPool({ url: database.runtimeUrl, name: "remit-test", log: silentLog });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

const asOwner = <Value>(sql: string, values: unknown[] = []) =>
  withClient(database.ownerUrl, async (client) => (await client.query(sql, values)).rows as Value[]);
const declared = (name: string, limit: string, more: Parameters<typeof declare>[1] | object = {}) =>
  withClient(database.ownerUrl, (client) => declare(client, { name, limit, ...more }));
const name = (budget: string, key = "") => ({ budget, key });

test("what is missing is opened once, whoever asks first, and answered in the order of the names", async () => {
  await declared("day", "12.5", { window: "day", timeZone: "Europe/Berlin" });
  await declared("all", "3", { unit: "calls", enforcement: "soft" });
  const store = createBudgetStore(pool);
  const names = [name("all"), name("never"), name("day", '["ada"]'), name("day", '["bob"]'), name("all")];
  const asked = await Promise.all(Array.from({ length: 8 }, () => store.openAccounts(TENANT, names)));
  for (const one of asked) expect(one).toEqual(asked[0]);
  const [all, never, ada, bob, again] = asked[0] ?? [];
  expect(never).toBeNull();
  expect(all).toMatchObject({ budget: "all", unit: "calls", hard: false, closesAtMs: Infinity, opensAtMs: -Infinity });
  expect(again).toEqual(all);
  expect(ada).toMatchObject({ key: '["ada"]', unit: "EUR", hard: true });
  expect(ada?.balance).toEqual({
    ...{ account: ada?.id, limit: 12_500_000n, held: 0n, posted: 0n, overage: 0n, frozen: false },
  });
  expect(bob?.id).not.toBe(ada?.id);
  expect(await store.openAccounts("another", [name("all")])).toEqual([null]);
  expect(await asOwner("select id from account")).toHaveLength(3);
});

test("a budget that is declared again with the same fixed parts finds its books, and with others gets new ones", async () => {
  const store = createBudgetStore(pool);
  const idOf = async () => (await store.openAccounts(TENANT, [name("day")]))[0]?.id;
  await declared("day", "5", { window: "day" });
  const first = await idOf();
  await asOwner("delete from budget");
  expect(await idOf()).toBeUndefined();
  await declared("day", "9", { window: "day", enforcement: "soft" });
  expect(await idOf()).toBe(first);
  await declared("day", "9", { window: "day", unit: "USD" });
  const second = await idOf();
  expect(second).not.toBe(first);
  // The old books go by no limit any more, and let nothing in.
  expect(await store.balances(TENANT, [first ?? 0n, second ?? 0n])).toMatchObject([
    { limit: 0n },
    { limit: 9_000_000n },
  ]);
  expect(await store.balances("another", [first ?? 0n])).toEqual([]);
});

test("a limit that is no decimal lets nothing in, and no limit overflows", async () => {
  const limits = ["0", "0.000001", "9999999.999999", "2305843009213.693952", "2305843009213.693953", "1e3", "-1", "x"];
  const rows = await asOwner<{ micros: string | null }>(
    "select remit_micros(l)::text as micros from unnest($1::text[]) with ordinality u (l, i) order by i",
    [limits],
  );
  const [zero, one, most, top, ...none] = rows.map(({ micros }) => micros);
  expect([zero, one, most, top]).toEqual(["0", "1", "9999999999999", `${2n ** 61n}`]);
  expect(none).toEqual([null, null, null, null]);
});

test("holds whose time is over by the store's clock are listed, the oldest first, with what they hold", async () => {
  await declared("day", "5");
  await declared("soft", "5", { enforcement: "soft" });
  const store = createBudgetStore(pool);
  const [day, soft] = await store.openAccounts(TENANT, [name("day"), name("soft")]);
  const { ledger, close } = await openLedger(database.runtimeUrl, { writers: 1 });
  const nowMs = Date.now();
  const moves = [move(soft?.id ?? 0n, { held: 7n }), move(day?.id ?? 0n, { held: 3n })];
  const records = [-2_000, -3_000, 60_000].map((ms) =>
    newRecord({ charge: take(moves, { expiresAtMs: nowMs + ms, pending: ms === -3_000 }) }),
  );
  await Promise.all(records.map((record) => ledger.record(record)));
  await close();
  const [later, sooner] = records;
  const held = {
    ...{ tenant: TENANT, session: SESSION, sessionDay: later?.sessionDay },
    parts: [
      { account: soft?.id, amount: 7n, hard: false },
      { account: day?.id, amount: 3n, hard: true },
    ],
  };
  const first = { ...held, id: sooner?.id, decision: sooner?.id, pending: true, expiresAtMs: nowMs - 3_000 };
  const second = { ...held, id: later?.id, decision: later?.id, pending: false, expiresAtMs: nowMs - 2_000 };
  expect(await store.overdueHolds(10)).toEqual([first, second]);
  expect(await store.overdueHolds(1)).toEqual([first]);
});

test("a window that is over is followed by another account, and no two of one overlap whatever the rules become", async () => {
  await declared("day", "5", { window: "day", timeZone: "Europe/Berlin" });
  const openAt = async (moment: string) => {
    const text = `select id, opens_at as opens, closes_at as closes
      from remit_open_accounts_at('${TENANT}', '{day}', '{""}', $1)`;
    const [row] = await asOwner<{ id: string; opens: Date; closes: Date }>(text, [moment]);
    return row;
  };
  const first = await openAt("2026-03-29T12:00Z");
  expect(await openAt("2026-03-29T21:59:59Z")).toEqual(first);
  const next = await openAt("2026-03-29T22:00Z");
  expect(next?.id).not.toBe(first?.id);
  expect(next?.opens).toEqual(first?.closes);
  // As if Berlin had given up its summer after the account was opened.
  await asOwner("update account set closes_at = '2026-03-30T22:30Z' where id = $1", [next?.id]);
  const clipped = await openAt("2026-03-30T23:00Z");
  expect(clipped?.opens.toISOString()).toBe("2026-03-30T22:30:00.000Z");
});

test("a zone that the store does not know is an error, and opens nothing", async () => {
  await declared("day", "5", { window: "day", timeZone: "Mars/Olympus" });
  await expect(createBudgetStore(pool).openAccounts(TENANT, [name("day")])).rejects.toMatchObject({ code: "22023" });
  expect(await asOwner("select from account")).toEqual([]);
});

test("the service opens accounts by the store's clock alone", async () => {
  const denied = { code: "42501" };
  const insert = `insert into account (tenant, budget, series, unit, instance, opens_at, closes_at, hard, ceiling)
    values ('${TENANT}', 'b', '', 'EUR', sha256(''), '-infinity', 'infinity', true, 5)`;
  await expect(pool.query(insert)).rejects.toMatchObject(denied);
  const at = `select * from remit_open_accounts_at('${TENANT}', '{}', '{}', '2030-01-01')`;
  await expect(pool.query(at)).rejects.toMatchObject(denied);
  await expect(pool.query("update account set closes_at = 'infinity'")).rejects.toMatchObject(denied);
});
