import { afterEach, beforeEach, expect, test } from "vitest";
import { LedgerUnavailable, type RecordOutcome } from "../../src/ledger/index.ts";
import { type PgProxy, pgProxy } from "../support/pg-proxy.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import {
  insertTenant,
  newRecord,
  numbersWithoutGaps,
  type OpenLedger,
  openLedger,
  readRows,
  writersBlocked,
} from "./postgres.ts";

let database: TestDatabase;
let proxy: PgProxy;
let opened: OpenLedger;
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
  proxy = await pgProxy(database.runtimeUrl);
  opened = await openLedger(proxy.url, { writers: 1, readUrl: database.runtimeUrl });
});
afterEach(async () => {
  await opened.close();
  await proxy.close();
  await database.drop();
});

/** A record under way, and whether its answer has left. */
function ask(record = newRecord()) {
  const asked = { record, answered: false, outcome: opened.ledger.record(record) };
  const leave = () => {
    asked.answered = true;
  };
  asked.outcome.then(leave, leave);
  return asked;
}

/** Holds the rows of all writers for as long as the work takes. */
async function whileWritersAreLocked(work: (unlock: () => Promise<void>) => Promise<void>): Promise<void> {
  await withClient(database.ownerUrl, async (client) => {
    await client.query("begin");
    await client.query("select from writer for update");
    await work(async () => void (await client.query("rollback")));
  });
}

test("no answer leaves while Postgres, which has received the insert, has not committed it", async () => {
  await whileWritersAreLocked(async (unlock) => {
    const asked = [ask(), ask()];
    await eventually(async () => (await writersBlocked(database)) > 0);
    expect(await readRows(database)).toEqual([]);
    expect(asked.some(({ answered }) => answered)).toBe(false);
    await unlock();
    const told = await Promise.all(asked.map(({ outcome }) => outcome));
    expect(told.every(({ outcome }) => outcome === "inserted")).toBe(true);
  });
});

test("no answer leaves while the acknowledgement is held back", async () => {
  proxy.hold("toClient");
  const asked = ask();
  await eventually(async () => (await readRows(database)).length === 1);
  await proxy.until(() => proxy.held("toClient") > 0);
  expect(asked.answered).toBe(false);
  proxy.resume("toClient");
  expect((await asked.outcome).outcome).toBe("inserted");
});

test("an acknowledgement that is cut after the commit is found once, and the next record has a new writer", async () => {
  const [before] = opened.ledger.state().epochs;
  proxy.hold("toClient");
  const asked = ask();
  await eventually(async () => (await readRows(database)).length === 1);
  proxy.cut();
  proxy.resume("toClient");
  expect(await asked.outcome).toEqual({ outcome: "inserted", ref: { epoch: before, n: 1n } });
  const next = await opened.ledger.record(newRecord());
  expect(next).toMatchObject({ outcome: "inserted", ref: { n: 1n } });
  expect(opened.ledger.state().epochs).not.toContain(before);
  expect(await readRows(database)).toHaveLength(2);
});

test("a statement that runs on after its connection was cut is waited for, found, and not recorded twice", async () => {
  const [before] = opened.ledger.state().epochs;
  await whileWritersAreLocked(async (unlock) => {
    const asked = ask();
    await eventually(async () => (await writersBlocked(database)) === 1);
    proxy.cut("client");
    // The fence stands behind the statement now.
    await eventually(async () => (await fencesBlocked()) === 1);
    expect(asked.answered).toBe(false);
    await unlock();
    expect(await asked.outcome).toEqual({ outcome: "inserted", ref: { epoch: before, n: 1n } });
  });
  expect(await readRows(database)).toHaveLength(1);
});

test("a statement that cannot be waited for is ended, and its record goes through a new writer", async () => {
  const [before] = opened.ledger.state().epochs;
  await whileWritersAreLocked(async (unlock) => {
    const asked = ask();
    await eventually(async () => (await writersBlocked(database)) === 1);
    proxy.cut("client");
    await eventually(async () => (await writersBlocked(database)) === 0);
    await unlock();
    const told = await asked.outcome;
    expect(told.outcome === "inserted" && told.ref.epoch).not.toBe(before);
  });
  expect(await readRows(database)).toHaveLength(1);
});

async function fencesBlocked(): Promise<number> {
  return withClient(database.superuserUrl, async (client) => {
    const text = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      and application_name = 'remit-fence'`;
    return (await client.query(text)).rowCount ?? 0;
  });
}

test("backends ended again and again under load: no record twice, no gap, every answer true", async () => {
  const loaded = await openLedger(database.runtimeUrl, { writers: 2 });
  const total = 3_000;
  const told = new Map<string, RecordOutcome | LedgerUnavailable>();
  let begun = 0;
  const caller = async () => {
    while (begun++ < total) {
      const record = newRecord();
      told.set(record.id, await loaded.ledger.record(record).catch((error: LedgerUnavailable) => error));
    }
  };
  let ended = 0;
  const terminator = async () => {
    await withClient(database.superuserUrl, async (client) => {
      for (let struckAt = 0; told.size < total; ) {
        // Some work between two blows, or nothing would ever be recorded.
        const due = told.size >= struckAt + 60;
        const { rowCount } = await client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where $1 and datname = current_database() and application_name like 'remit-writer-%'`,
          [due],
        );
        ended += rowCount ?? 0;
        if (due) struckAt = told.size;
      }
    });
  };
  await Promise.all([terminator(), ...Array.from({ length: 64 }, caller)]);
  await loaded.close();

  const rows = await readRows(database);
  const places = new Map(rows.map(({ id, writer, n }) => [id, { epoch: BigInt(writer), n: BigInt(n) }]));
  expect(ended).toBeGreaterThan(10);
  expect(new Set(rows.map(({ writer }) => writer)).size).toBeGreaterThan(10);
  expect(places.size).toBe(rows.length);
  expect(numbersWithoutGaps(rows)).toBe(true);
  let answered = 0;
  for (const [id, outcome] of told) {
    if (outcome instanceof LedgerUnavailable) {
      if (outcome.recorded === "no") expect(places.has(id)).toBe(false);
      continue;
    }
    answered++;
    expect(outcome).toEqual({ outcome: "inserted", ref: places.get(id) });
  }
  expect(answered).toBeGreaterThan(total * 0.9);
});
