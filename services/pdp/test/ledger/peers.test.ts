import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { openDirect } from "../../src/stores/database.ts";
import { createPeerStore } from "../../src/stores/peers.ts";
import { endReplica, insertReplica, insertWriter } from "../../src/stores/writer-row.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { insertTenant, newRecord, openLedger, readRows } from "./postgres.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
});
afterEach(() => database.drop());

const asRuntime = <Value>(use: (client: pg.Client) => Promise<Value>) => withClient(database.runtimeUrl, use);

const storeOf = (replica: string) =>
  createPeerStore({ url: database.runtimeUrl, log: silentLog, replica, now: () => performance.now() });

const newReplica = async (replica = randomUUID()) => {
  await asRuntime((client) => insertReplica(client, replica, "test"));
  return replica;
};

const writersOf = (replica: string) =>
  asRuntime(async (client) => {
    const text = "select alive, last_n::int as last from writer where replica = $1 order by writer";
    return (await client.query<{ alive: boolean; last: number | null }>(text, [replica])).rows;
  });

test("a beat moves one's own counter and tells the others' and the store's time", async () => {
  const [mine, other] = [await newReplica(), await newReplica()];
  const store = storeOf(mine);
  const theirs = storeOf(other);
  expect(await store.beat()).toMatchObject({ alive: true, counters: new Map([[other, 0n]]) });
  await theirs.beat();
  const { counters, storeMs, sentAtMs, heardAtMs } = await store.beat();
  expect(counters).toEqual(new Map([[other, 1n]]));
  expect(sentAtMs).toBeLessThanOrEqual(heardAtMs);
  const told = await asRuntime((client) => client.query("select clock_timestamp() as now"));
  expect(storeMs).toBeLessThanOrEqual(told.rows[0].now.getTime() + 1);
  await Promise.all([store.close(), theirs.close()]);
});

test("a replica of a build that moves no counter is not among those that can be suspected", async () => {
  const old = randomUUID();
  await asRuntime((client) => client.query("insert into replica (id, host) values ($1, 'old')", [old]));
  const mine = await newReplica();
  // Registering anew, as an old build may after its first start failed, gives it no counter either.
  await newReplica(old);
  const store = storeOf(mine);
  expect((await store.beat()).counters).toEqual(new Map());
  await store.close();
});

test("whoever was shut out hears it at the next beat, and nobody watches it any more", async () => {
  const [mine, other] = [await newReplica(), await newReplica()];
  const [store, theirs] = [storeOf(mine), storeOf(other)];
  expect(await store.fenceReplica(other)).toBe(true);
  expect((await store.beat()).counters).toEqual(new Map());
  expect((await theirs.beat()).alive).toBe(false);
  await Promise.all([store.close(), theirs.close()]);
});

test("of many that shut out the same replica at once one did, and its last numbers are those of its records", async () => {
  const loaded = await openLedger(database.runtimeUrl, { writers: 2 });
  await Promise.all(Array.from({ length: 300 }, () => loaded.ledger.record(newRecord())));
  const stores = await Promise.all(Array.from({ length: 4 }, async () => storeOf(await newReplica())));
  const late = Array.from({ length: 300 }, () => loaded.ledger.record(newRecord()).catch(() => undefined));
  const did = await Promise.all(stores.map((store) => store.fenceReplica(loaded.replica)));
  expect(did.filter(Boolean)).toHaveLength(1);
  await Promise.all(late);
  await expect(loaded.ledger.record(newRecord())).rejects.toMatchObject({ recorded: "no" });
  const rows = await readRows(database);
  const writers = await writersOf(loaded.replica);
  expect(writers.every(({ alive }) => !alive)).toBe(true);
  expect(writers.reduce((sum, { last }) => sum + (last ?? 0), 0)).toBe(rows.length);
  await loaded.close();
  await Promise.all(stores.map((store) => store.close()));
});

test("a writer's backend that keeps its row is ended, so that its replica is shut out all the same", async () => {
  const replica = await newReplica();
  const open = () =>
    openDirect({ url: database.runtimeUrl, name: "paused", log: silentLog, transactionTimeoutMs: 600_000 });
  const paused = await Promise.all([open(), open()]);
  const gone = paused.map((client) => new Promise((resolve) => client.once("end", resolve)));
  for (const client of paused) {
    const writer = await insertWriter(client, replica);
    await client.query("set idle_in_transaction_session_timeout = 0");
    // A client that stopped before it said that its transaction is over.
    await client.query("begin");
    await client.query("select from writer where writer = $1 for no key update", [writer]);
  }
  expect(await asRuntime((client) => endReplica(client, replica))).toBe(true);
  await Promise.all(gone);
  expect(await writersOf(replica)).toEqual([
    { alive: false, last: 0 },
    { alive: false, last: 0 },
  ]);
});

test("a replica whose beat is under way for ever is shut out, and its counter is removed later", async () => {
  const [mine, other] = [await newReplica(), await newReplica()];
  const store = storeOf(mine);
  await asRuntime(async (paused) => {
    await paused.query("begin");
    await paused.query("update heartbeat set beats = beats + 1 where replica = $1", [other]);
    expect(await store.fenceReplica(other)).toBe(true);
    expect((await store.beat()).counters.has(other)).toBe(true);
    await paused.query("rollback");
  });
  expect(await store.fenceReplica(other)).toBe(false);
  expect((await store.beat()).counters.has(other)).toBe(false);
  await store.close();
});
