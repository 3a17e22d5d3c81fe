import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import type { SequencerStore, SequencerTurn } from "../../src/ledger/index.ts";
import { createSequencerStore, readSequencerStatus } from "../../src/stores/sequencer.ts";
import { fence } from "../../src/stores/writer-row.ts";
import { allPlaced, audit } from "../faults/audit.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { insertTenant, newRecord, openLedger } from "./postgres.ts";

let database: TestDatabase;
let owner: pg.Client;
const open: SequencerStore[] = [];
const sequencer = () => {
  const store = createSequencerStore({ url: database.runtimeUrl, log: silentLog });
  open.push(store);
  return store;
};
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
  owner = new pg.Client({ connectionString: database.superuserUrl });
  owner.on("error", () => {});
  await owner.connect();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
  await owner.end();
  await database.drop();
});

/** A run in which less happened would prove little: calls of each caller, connections cut, batches with places. */
const [CALLS, CUTS, PLACED] = [20, 4, 15];

const ALL = { recordsMax: 2_000, pauseMs: 0 };
const status = () => readSequencerStatus(owner);

/** A writer that nobody uses, with this many records, each a commit, from the given number on. */
async function insertWriter({ records = 0, from = 1, ago = 0 } = {}): Promise<string> {
  const replica = randomUUID();
  await owner.query("insert into replica (id, host) values ($1, 'test')", [replica]);
  const { rows } = await owner.query("insert into writer (replica, pid) values ($1, 0) returning writer", [replica]);
  const { writer } = rows[0];
  for (let i = 0; i < records; i++) await insertRecord(writer, from + i, ago);
  return writer;
}

async function insertRecord(writer: string, n: number, ago = 0): Promise<void> {
  await owner.query(
    `insert into record (day, writer, n, ord, id, tenant, kind, digest, body)
      values ((now() at time zone 'utc')::date - $3::int, $1, $2, nextval('record_ord'), gen_random_uuid(), 'acme', 'decision',
        sha256(gen_random_uuid()::text::bytea), 'x')`,
    [writer, n, ago],
  );
}

const places = async () =>
  (await owner.query<{ place: string }>("select writer || '/' || n as place from leaf order by seq")).rows.map(
    ({ place }) => place,
  );

test("while many record, are shut out and follow from each other, four sequencers whose connections end give each record one place", async () => {
  const ledgers = await Promise.all([openLedger(database.runtimeUrl), openLedger(database.runtimeUrl)]);
  let [over, cut] = [false, 0];
  const turns = new Map<string, number>();
  const turnsTaken = () => [...turns.values()].reduce((sum, count) => sum + count, 0);
  const sequencing = Array.from({ length: 4 }, sequencer).map(async (store, at) => {
    while (!over) {
      // A small batch falls between the records of one commit.
      const turn = await store
        .turn({ recordsMax: at % 2 === 0 ? 7 : 500, pauseMs: 0 })
        .catch((): { state: string } => ({ state: "failed" }));
      turns.set(turn.state, (turns.get(turn.state) ?? 0) + 1);
    }
  });
  const caller = async (at: number) => {
    for (let asked = 0; asked < CALLS || cut < CUTS || (turns.get("placed") ?? 0) < PLACED; asked++) {
      const ask = (part: Parameters<typeof newRecord>[0]) =>
        (ledgers[(at + asked + (part ? 1 : 0)) % 2] ?? ledgers[0])?.ledger
          .record(newRecord(part))
          .catch(() => undefined);
      const decision = newRecord();
      const came = await ledgers[at % 2]?.ledger.record(decision).catch(() => undefined);
      // The other replica records what follows, in a commit of its own.
      if (came?.outcome === "inserted") await ask({ kind: "report", subject: decision.id });
    }
  };
  const blows = (async () => {
    while (!over) {
      const before = turnsTaken();
      const { rowCount } = await owner.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
          and application_name = 'remit-sequencer' and state <> 'idle' limit 1`,
      );
      cut += rowCount ?? 0;
      const epoch = ledgers[cut % 2]?.ledger.state().epochs[0];
      if (cut % 4 === 1 && epoch !== undefined) await fence(owner, epoch);
      await eventually(() => over || turnsTaken() >= before + 20);
    }
  })();
  await Promise.all(Array.from({ length: 24 }, (_, at) => caller(at)));
  over = true;
  await Promise.all([...sequencing, blows]);
  await Promise.all(ledgers.map((one) => one.close()));
  const last = sequencer();
  while (!(await allPlaced(owner))) await last.turn(ALL);
  // What ended has ended: nobody looks for more of it.
  await last.turn(ALL);

  expect(await audit(owner, [])).toEqual([]);
  expect(await status()).toMatchObject({ writers: 0, lagSeconds: 0, gap: undefined });
  const { rows } = await owner.query("select count(*)::int as count from leaf");
  expect(rows[0].count).toBeGreaterThan(24 * CALLS);
  expect(turns.get("failed")).toBeGreaterThan(0);
}, 120_000);

test("who finds another at it goes away at once, and who comes soon after another too", async () => {
  await insertWriter({ records: 1 });
  const store = sequencer();
  await owner.query("begin");
  await owner.query("select size from tree_head for update");
  expect(await store.turn(ALL)).toEqual({ state: "elsewhere" });
  await owner.query("rollback");
  expect(await store.turn(ALL)).toEqual({ state: "placed", placed: 1, size: 1n, more: false });
  expect(await store.turn({ ...ALL, pauseMs: 60_000 })).toEqual({ state: "elsewhere" });
  expect(await store.turn(ALL)).toEqual({ state: "placed", placed: 0, size: 1n, more: false });
});

test("a commit that began first and is seen last gets its place when it is seen", async () => {
  const [slow, quick] = [await insertWriter(), await insertWriter()];
  const store = sequencer();
  await withClient(database.superuserUrl, async (late) => {
    await late.query("begin");
    await late.query(
      `insert into record (day, writer, n, ord, id, tenant, kind, digest, body)
        values ((now() at time zone 'utc')::date, $1, 1, nextval('record_ord'), gen_random_uuid(), 'acme', 'decision', sha256('x'), 'x')`,
      [slow],
    );
    await insertRecord(quick, 1);
    expect(await store.turn(ALL)).toMatchObject({ placed: 1 });
    await late.query("commit");
  });
  expect(await store.turn(ALL)).toMatchObject({ placed: 1 });
  expect(await places()).toEqual([`${quick}/1`, `${slow}/1`]);
});

test("a record that was removed stops the line for all, is told, and lets it go on when it is brought back", async () => {
  const [whole, holed] = [await insertWriter({ records: 2 }), await insertWriter({ records: 1 })];
  const store = sequencer();
  await store.turn(ALL);
  await insertRecord(holed, 2);
  await insertRecord(holed, 3);
  await owner.query("create table removed (like record)");
  await owner.query(
    "with gone as (delete from record where writer = $1 and n = 2 returning *) insert into removed select * from gone",
    [holed],
  );
  await insertRecord(whole, 3);
  const stopped: SequencerTurn = { state: "stopped", gap: { epoch: BigInt(holed), missing: 2n } };
  expect(await store.turn(ALL)).toEqual(stopped);
  expect(await status()).toMatchObject({ size: 3n, gap: { writer: BigInt(holed), missing: 2n } });
  expect((await status()).lagSeconds).toBeGreaterThan(0);
  await owner.query("insert into record select * from removed");
  expect(await store.turn(ALL)).toMatchObject({ placed: 3, size: 6n });
  expect(await status()).toMatchObject({ gap: undefined, lagSeconds: 0 });
});

test("partitions that are dropped take no place with them, and what comes later has its own", async () => {
  const writer = await insertWriter();
  await owner.query("create table record_old partition of record for values from ('2000-01-01') to ('2000-02-01')");
  await owner.query(
    `insert into record (day, writer, n, ord, id, tenant, kind, digest, body)
      select '2000-01-31', $1, n, nextval('record_ord'), gen_random_uuid(), 'acme', 'decision', sha256('x'), 'x'
      from generate_series(1, 5) n`,
    [writer],
  );
  const store = sequencer();
  expect(await store.turn(ALL)).toMatchObject({ placed: 5 });
  await owner.query("drop table record_old");
  await insertRecord(writer, 6);
  expect(await store.turn(ALL)).toMatchObject({ placed: 1, size: 6n });
  expect((await places()).at(-1)).toBe(`${writer}/6`);
});

test("a writer that records nothing is looked for from today on, and one whose records have no place from their days on", async () => {
  const [idle, late] = [await insertWriter(), await insertWriter({ records: 2, ago: 30 })];
  await owner.query("update seq_cursor set day = (now() at time zone 'utc')::date - 30 where writer = $1", [idle]);
  const store = sequencer();
  const daysAgo = async () =>
    (
      await owner.query("select (now() at time zone 'utc')::date - day as ago from seq_cursor order by writer")
    ).rows.map(({ ago }) => ago);
  expect(await store.turn({ recordsMax: 1, pauseMs: 0 })).toMatchObject({ placed: 1, more: true });
  expect(await daysAgo()).toEqual([0, 30]);
  expect(await store.turn(ALL)).toMatchObject({ placed: 1 });
  expect(await store.turn(ALL)).toMatchObject({ placed: 0 });
  expect(await daysAgo()).toEqual([0, 0]);
  await insertRecord(idle, 1);
  await insertRecord(late, 3, 5);
  expect(await store.turn(ALL)).toMatchObject({ placed: 2 });
});

test("far more writers than are read at once come in the order of their commits", async () => {
  const writers: string[] = [];
  for (let at = 0; at < 70; at++) writers.push(await insertWriter({ records: 2 }));
  for (const writer of writers) await insertRecord(writer, 3);
  const store = sequencer();
  let placed = 0;
  while (placed < 210) {
    const turn = await store.turn({ recordsMax: 50, pauseMs: 0 });
    placed += turn.state === "placed" ? turn.placed : 0;
  }
  const { rows } = await owner.query(
    "select array_agg(r.ord order by l.seq) = array_agg(r.ord order by r.ord) as ordered from leaf l join record r using (writer, n)",
  );
  expect(rows[0].ordered).toBe(true);
});

test("a store whose clock was set back keeps no record waiting until it is as late again as it was", async () => {
  const writer = await insertWriter({ records: 1 });
  const store = sequencer();
  await store.turn(ALL);
  await owner.query("update tree_head set moved_at = now() + interval '1 hour'");
  await insertRecord(writer, 2);
  expect(await store.turn({ ...ALL, pauseMs: 200 })).toMatchObject({ state: "placed", placed: 1 });
});

test("a store whose clock was ahead for a while goes on to place what is recorded once it is right again", async () => {
  const writer = await insertWriter({ records: 1 });
  await insertRecord(writer, 2, -100);
  const store = sequencer();
  expect(await store.turn(ALL)).toMatchObject({ placed: 2 });
  await insertRecord(writer, 3);
  expect((await status()).lagSeconds).toBeGreaterThan(0);
  expect(await store.turn(ALL)).toMatchObject({ placed: 1, size: 3n });
});

test("the last records of a writer that was shut out stop the line when they are removed", async () => {
  const writer = await insertWriter({ records: 3 });
  const store = sequencer();
  await fence(owner, BigInt(writer));
  await owner.query("create table removed (like record)");
  await owner.query(
    "with gone as (delete from record where writer = $1 and n > 1 returning *) insert into removed select * from gone",
    [writer],
  );
  const gap = { epoch: BigInt(writer), missing: 2n };
  await store.turn(ALL);
  expect(await store.turn(ALL)).toEqual({ state: "stopped", gap });
  expect(await status()).toMatchObject({ gap: { writer: BigInt(writer), missing: 2n } });
  await owner.query("insert into record select * from removed");
  expect(await store.turn(ALL)).toMatchObject({ placed: 2, size: 3n });
  expect(await store.turn(ALL)).toMatchObject({ placed: 0, size: 3n });
  expect(await status()).toMatchObject({ gap: undefined, writers: 0 });
});

test("many writers that commit by turns fill a batch as few do", async () => {
  const writers: string[] = [];
  for (let at = 0; at < 50; at++) writers.push(await insertWriter());
  for (let n = 1; n <= 8; n++) for (const writer of writers) await insertRecord(writer, n);
  const store = sequencer();
  expect(await store.turn({ recordsMax: 300, pauseMs: 0 })).toMatchObject({ placed: 300, more: true });
  expect(await store.turn({ recordsMax: 300, pauseMs: 0 })).toMatchObject({ placed: 100, more: false });
});
