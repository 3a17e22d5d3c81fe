import { afterEach, beforeEach, expect, test } from "vitest";
import { idempotencyKey, type RecordOutcome } from "../../src/ledger/index.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import {
  insertTenant,
  newRecord,
  numbersWithoutGaps,
  type OpenLedger,
  openLedger,
  readRows,
  SESSION,
  TENANT,
} from "./postgres.ts";

let database: TestDatabase;
const open: OpenLedger[] = [];
const start = async (...given: Parameters<typeof openLedger> extends [string, ...infer Rest] ? Rest : never) => {
  const opened = await openLedger(database.runtimeUrl, ...given);
  open.push(opened);
  return opened;
};
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((opened) => opened.close()));
  await database.drop();
});

const refOf = (outcome: RecordOutcome) => {
  if (outcome.outcome !== "inserted") throw new Error(`the record is ${outcome.outcome}`);
  return outcome.ref;
};

test("a record is answered with its place, and found again by key, id and subject", async () => {
  const { ledger } = await start();
  const decision = newRecord({ aside: Buffer.from('{"long":true}'), expiresAtMs: Date.UTC(2026, 10, 21) });
  const ref = refOf(await ledger.record(decision));
  const report = newRecord({ kind: "report", subject: decision.id });
  await ledger.record(report);

  const stored = {
    ...ref,
    id: decision.id,
    tenant: TENANT,
    session: SESSION,
    kind: "decision",
    digest: decision.digest,
    body: decision.body,
    aside: decision.aside,
  };
  expect(await ledger.findByKeys(TENANT, SESSION, decision.sessionDay, [Buffer.alloc(16), decision.key])).toEqual([
    null,
    stored,
  ]);
  expect(await ledger.findById(TENANT, decision.id)).toEqual(stored);
  expect(await ledger.findById("another", decision.id)).toBeNull();
  expect((await ledger.findBySubject(TENANT, decision.id)).map(({ id }) => id)).toEqual([report.id]);
});

test("records handed over at once share statements, and every writer counts from one without gaps", async () => {
  const { ledger } = await start();
  const records = Array.from({ length: 500 }, () => newRecord());
  const outcomes = await Promise.all(records.map((record) => ledger.record(record)));
  const rows = await readRows(database);
  expect(rows).toHaveLength(500);
  expect(numbersWithoutGaps(rows)).toBe(true);
  expect(new Set(rows.map(({ ord }) => ord)).size).toBeLessThan(10);
  const places = new Map(rows.map(({ id, writer, n }) => [id, { epoch: BigInt(writer), n: BigInt(n) }]));
  expect(records.map(({ id }) => places.get(id))).toEqual(outcomes.map(refOf));
});

test("a key that is taken answers its winner to the same request, and refuses another, in one batch or a later one", async () => {
  const { ledger } = await start({ writers: 1 });
  const key = idempotencyKey("decision", "call", 1);
  const [request, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const batch = [
    newRecord({ key, request }),
    newRecord({ key, request }),
    newRecord({ key, request: other }),
    newRecord(),
  ];
  const told = await Promise.all(batch.map((record) => ledger.record(record)));
  expect(told.filter(({ outcome }) => outcome === "inserted")).toHaveLength(2);
  const [winner] = (await readRows(database)).filter((row) => row.key?.equals(key));
  const won = batch.find(({ id }) => id === winner?.id);
  for (const [at, outcome] of told.entries()) {
    const own = batch[at];
    if (own === won || own?.key !== key) expect(outcome.outcome).toBe("inserted");
    else if (own.request === won?.request)
      expect(outcome).toMatchObject({ outcome: "existing", record: { id: won.id } });
    else expect(outcome.outcome).toBe("reused");
  }
  const sameAgain = await ledger.record(newRecord({ key, request: won?.request ?? other }));
  expect(sameAgain).toMatchObject({ outcome: "existing", record: { id: won?.id } });
  expect(numbersWithoutGaps(await readRows(database))).toBe(true);
});

test("the same record handed over twice is recorded once and answered the same", async () => {
  const { ledger } = await start();
  const record = newRecord();
  const [first, second, third] = await Promise.all([record, record, record].map((one) => ledger.record(one)));
  expect(second).toEqual(first);
  expect(third).toEqual(first);
  expect(await readRows(database)).toHaveLength(1);
});

test("a key raced for by two replicas has one winner, whom the loser is answered", async () => {
  const [one, two] = [await start(), await start()];
  const races = 300;
  for (let race = 0; race < races; race++) {
    const key = idempotencyKey("decision", `raced ${race}`, 1);
    const [mine, yours] = [newRecord({ key }), newRecord({ key })];
    const [first, second] = await Promise.all([one.ledger.record(mine), two.ledger.record(yours)]);
    const [won, lost] = first.outcome === "inserted" ? [mine, second] : [yours, first];
    expect(lost).toMatchObject({ outcome: "existing", record: { id: won.id } });
  }
  const rows = await readRows(database);
  expect(rows).toHaveLength(races);
  expect(numbersWithoutGaps(rows)).toBe(true);
});

test("batches of two replicas that overlap in any order wait for each other and never in a circle", async () => {
  const [one, two] = [await start(), await start()];
  const keys = Array.from({ length: 2_000 }, (_, at) => idempotencyKey("decision", `overlap ${at}`, 1));
  const forth = keys.map((key) => one.ledger.record(newRecord({ key })));
  const back = keys.toReversed().map((key) => two.ledger.record(newRecord({ key })));
  const told = await Promise.all([...forth, ...back]);
  expect(told.filter(({ outcome }) => outcome === "inserted")).toHaveLength(keys.length);
  expect(told.filter(({ outcome }) => outcome === "existing")).toHaveLength(keys.length);
});

test("one bad row of two hundred fails alone", async () => {
  const { ledger } = await start({ writers: 1 });
  const records = Array.from({ length: 200 }, (_, at) => newRecord(at === 77 ? { tenant: "a\0b" } : {}));
  const told = await Promise.allSettled(records.map((record) => ledger.record(record)));
  const failed = told.flatMap((one, at) => (one.status === "rejected" ? [{ at, error: one.reason }] : []));
  expect(failed).toMatchObject([{ at: 77, error: { kind: "internal", reason: "record_refused" } }]);
  const rows = await readRows(database);
  expect(rows).toHaveLength(199);
  expect(numbersWithoutGaps(rows)).toBe(true);
});

test("a record that cannot be written as the store's types fails alone", async () => {
  const { ledger } = await start({ writers: 1 });
  const records = [newRecord(), newRecord({ session: "no uuid" }), newRecord({ sessionDay: "soon" }), newRecord()];
  const told = await Promise.allSettled(records.map((record) => ledger.record(record)));
  expect(told.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
});

test("what was judged under an older security revision is stale, unless its key was recorded before", async () => {
  const { ledger } = await start();
  const recorded = newRecord();
  const ref = refOf(await ledger.record(recorded));
  await withClient(database.ownerUrl, (client) => client.query("update revision set security = 7"));
  const told = await Promise.all([
    ledger.record(newRecord({ securityRevision: 6n })),
    ledger.record(newRecord({ securityRevision: 7n })),
    ledger.record(newRecord({ key: recorded.key })),
    ledger.record(recorded),
  ]);
  expect(told.map(({ outcome }) => outcome)).toEqual(["stale", "inserted", "existing", "inserted"]);
  expect(told[3]).toEqual({ outcome: "inserted", ref });
  expect(await readRows(database)).toHaveLength(2);
});

test("records are written by a role that can neither change nor delete them", async () => {
  const { ledger } = await start();
  await ledger.record(newRecord());
  await withClient(database.runtimeUrl, async (client) => {
    const { rows } = await client.query(
      "select usename from pg_stat_activity where application_name like 'remit-writer-%' and datname = current_database()",
    );
    expect(new Set(rows.map(({ usename }) => usename))).toEqual(new Set(["remit_service"]));
    for (const sql of ["update record set body = body", "delete from record", "delete from call", "truncate record"]) {
      await expect(client.query(sql)).rejects.toMatchObject({ code: "42501" });
    }
  });
});

test("closing settles what waits, declares the replica dead, and tells where its numbers end", async () => {
  const { ledger, replica, close } = await openLedger(database.runtimeUrl);
  const waiting = Array.from({ length: 50 }, () => ledger.record(newRecord()));
  await close();
  expect((await Promise.all(waiting)).every(({ outcome }) => outcome === "inserted")).toBe(true);
  await expect(ledger.record(newRecord())).rejects.toMatchObject({ reason: "ledger_unavailable", recorded: "no" });
  expect(ledger.state()).toMatchObject({ stopped: "closed", serving: false, writersAlive: 0 });
  const { alive, writers } = await withClient(database.ownerUrl, async (client) => ({
    alive: (await client.query("select alive from replica where id = $1", [replica])).rows,
    writers: (await client.query("select writer, alive, last_n from writer order by writer")).rows,
  }));
  expect(alive).toEqual([{ alive: false }]);
  const rows = await readRows(database);
  for (const { writer, last_n: last, alive: living } of writers) {
    expect(living).toBe(false);
    expect(Number(last)).toBe(rows.filter((row) => row.writer === writer).length);
  }
});
