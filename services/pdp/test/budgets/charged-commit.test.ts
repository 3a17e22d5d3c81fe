import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { idempotencyKey, type NewRecord, type RecordOutcome } from "../../src/ledger/index.ts";
import { createRecordedChanges } from "../../src/stores/recorded-change.ts";
import { insertTenant, newRecord, type OpenLedger, openLedger, TENANT } from "../ledger/postgres.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { audit, declare, end, move, openBooks, readBook, take } from "./books.ts";

let database: TestDatabase;
const open: OpenLedger[] = [];
const start = async () => {
  const opened = await openLedger(database.runtimeUrl, { writers: 1 });
  open.push(opened);
  return opened;
};
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((opened) => opened.close()));
  const books = await audit(database);
  await database.drop();
  expect(books).toEqual({ differences: [], heldWrongly: [] });
});

const MILLION = 1_000_000n;
const whyOf = (outcome: RecordOutcome) =>
  outcome.outcome === "short" ? outcome.shorts.map(({ why }) => why).join() : outcome.outcome;

test("a hold is taken with its record and ended with another, and each is answered what its accounts hold then", async () => {
  const [day = 0n, all = 0n] = await openBooks(database, [
    { name: "day", limit: "10.00", window: "day" },
    { name: "all", limit: "100.5", enforcement: "soft" },
  ]);
  const { ledger } = await start();
  const decision = newRecord({ charge: take([move(day, { held: 4n * MILLION }), move(all, { held: 4n * MILLION })]) });
  const zero = { posted: 0n, overage: 0n, frozen: false };
  expect(await ledger.record(decision)).toMatchObject({
    outcome: "inserted",
    balances: [
      { account: day, limit: 10n * MILLION, held: 4n * MILLION, ...zero },
      { account: all, limit: 100_500_000n, held: 4n * MILLION, ...zero },
    ],
  });
  const moves = [
    move(day, { held: -4n * MILLION, posted: MILLION }),
    move(all, { held: -4n * MILLION, posted: MILLION }),
  ];
  const report = newRecord({ kind: "report", subject: decision.id, charge: end(decision.id, moves) });
  expect(whyOf(await ledger.record(report))).toBe("inserted");
  expect(await readBook(database, day)).toMatchObject({ held: 0n, posted: MILLION, overage: 0n });
  expect(whyOf(await ledger.record(newRecord({ charge: end(decision.id, []) })))).toBe("gone");
});

test("a key that is taken answers its record, whatever its accounts and its hold would say", async () => {
  const [account = 0n] = await openBooks(database, [{ name: "day", limit: "5" }]);
  const { ledger } = await start();
  const charge = take([move(account, { held: 3n * MILLION })]);
  const first = newRecord({ charge });
  const again = newRecord({ key: first.key, charge });
  expect((await Promise.all([ledger.record(first), ledger.record(again)])).map(whyOf)).toEqual([
    "inserted",
    "existing",
  ]);
  expect(whyOf(await ledger.record(newRecord({ key: first.key, charge })))).toBe("existing");
  expect(whyOf(await ledger.record(first))).toBe("inserted");
  const key = idempotencyKey("settle", first.id, 1);
  const settle = () => newRecord({ key, charge: end(first.id, [move(account, { held: -3n * MILLION, posted: 1n })]) });
  expect((await Promise.all([ledger.record(settle()), ledger.record(settle())])).map(whyOf)).toEqual([
    "inserted",
    "existing",
  ]);
  expect(await readBook(database, account)).toMatchObject({ held: 0n, posted: 1n });
});

test("limits and freezes are those of the moment of the commit, and what a settlement brings is always let in", async () => {
  const [account = 0n] = await openBooks(database, [{ name: "day", limit: "5" }]);
  const { ledger } = await start();
  const asks = (held: bigint) => ledger.record(newRecord({ charge: take([move(account, { held })]) })).then(whyOf);
  const decision = newRecord({ charge: take([move(account, { held: 4n * MILLION })]) });
  await ledger.record(decision);
  expect(await asks(2n * MILLION)).toBe("exhausted");
  await withClient(database.ownerUrl, (client) => declare(client, { name: "day", limit: "7" }));
  expect(await asks(2n * MILLION)).toBe("inserted");
  await withClient(database.ownerUrl, (client) => declare(client, { name: "day", limit: "1" }));
  expect(await asks(1n)).toBe("exhausted");
  expect(await asks(0n)).toBe("inserted");
  await withClient(database.ownerUrl, (client) => client.query("update budget set frozen = true"));
  expect(await asks(0n)).toBe("frozen");
  const overspent = [move(account, { held: -4n * MILLION, posted: 4n * MILLION, overage: 9n * MILLION })];
  expect(whyOf(await ledger.record(newRecord({ charge: end(decision.id, overspent) })))).toBe("inserted");
  expect(await readBook(database, account)).toMatchObject({ posted: 4n * MILLION, ceiling: 6n * MILLION });
});

test("an administrator's change may end a hold in the commit that tells of it, once", async () => {
  const [account = 0n] = await openBooks(database, [{ name: "day", limit: "5" }]);
  const { ledger, replica } = await start();
  const decision = newRecord({ charge: take([move(account, { held: 4n * MILLION })]) });
  await ledger.record(decision);
  const changes = createRecordedChanges({ url: database.runtimeUrl, log: silentLog, replica });
  const resolve = () => {
    const charge = end(decision.id, [move(account, { held: -4n * MILLION })]);
    const record: NewRecord = newRecord({ kind: "admin", charge });
    return changes.run(
      { tenant: TENANT, bump: "none" },
      () => record,
      async () => null,
    );
  };
  await resolve();
  await expect(resolve()).rejects.toMatchObject({ kind: "conflict", reason: "hold_gone" });
  await changes.close();
  expect(await readBook(database, account)).toMatchObject({ held: 0n, posted: 0n });
});

test("overages of one batch count against each other, and who has no room alone is told that its account is full", async () => {
  const [account = 0n] = await openBooks(database, [{ name: "day", limit: "5", enforcement: "soft" }]);
  const { ledger } = await start();
  const spent = (overage: bigint) => ledger.record(newRecord({ charge: { moves: [move(account, { overage })] } }));
  const most = 2n ** 61n;
  const told = await Promise.all([spent(most), spent(1n), spent(most - 1n), spent(most), spent(5n)]);
  // All that a commit brings is within half of what is left for it, so the others are to come again.
  expect(told.map(whyOf)).toEqual(["inserted", "crowded", "crowded", "crowded", "crowded"]);
  expect(await Promise.all([spent(most), spent(most)].map(async (one) => whyOf(await one)))).toEqual([
    "inserted",
    "crowded",
  ]);
  expect(whyOf(await spent(most - 7n))).toBe("inserted");
  expect([whyOf(await spent(8n)), whyOf(await spent(7n)), whyOf(await spent(1n))]).toEqual([
    "full",
    "inserted",
    "full",
  ]);
  expect(await readBook(database, account)).toMatchObject({ overage: 3n * most });
});
