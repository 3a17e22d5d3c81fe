import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { idempotencyKey, type NewRecord, type RecordOutcome } from "../../src/ledger/index.ts";
import {
  insertTenant,
  newRecord,
  numbersWithoutGaps,
  type OpenLedger,
  openLedger,
  readRows,
} from "../ledger/postgres.ts";
import { seeded } from "../ledger/scheduler.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { audit, end, move, openBooks, readBook, take } from "./books.ts";

let database: TestDatabase;
const open: OpenLedger[] = [];
const start = async (writers: number) => {
  const opened = await openLedger(database.runtimeUrl, { writers });
  open.push(opened);
  return opened.ledger;
};
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((opened) => opened.close()));
  await database.drop();
});

const MILLION = 1_000_000n;
const whyOf = (outcome: RecordOutcome) =>
  outcome.outcome === "short" ? outcome.shorts.map(({ why }) => why).join() : outcome.outcome;

/** How often Postgres had to end a circle of waits here. */
async function deadlocks(): Promise<number> {
  return withClient(database.superuserUrl, async (client) => {
    const { rows } = await client.query(
      "select pg_stat_clear_snapshot(), deadlocks::int as deadlocks from pg_stat_database where datname = current_database()",
    );
    return rows[0].deadlocks;
  });
}

test("of many who want the last of a budget at once, as many get it as there is, from however many replicas", async () => {
  const [account = 0n] = await openBooks(database, [{ name: "last", limit: "7" }]);
  const ledgers = await Promise.all([start(2), start(2), start(2)]);
  const ask = async (at: number): Promise<string> => {
    const charge = take([move(account, { held: MILLION })]);
    const why = whyOf((await ledgers[at % 3]?.record(newRecord({ charge }))) ?? { outcome: "gone" });
    return why === "crowded" ? ask(at) : why;
  };
  const told = await Promise.all(Array.from({ length: 600 }, (_, at) => ask(at)));
  expect(told.filter((one) => one === "inserted")).toHaveLength(7);
  expect(told.filter((one) => one === "exhausted")).toHaveLength(593);
  expect(await readBook(database, account)).toMatchObject({ held: 7n * MILLION });
});

test("writers whose accounts, holds and keys overlap in any order never wait in a circle, and the books balance", async () => {
  const random = seeded(5);
  const accounts = await openBooks(database, [
    { name: "a", limit: "50" },
    { name: "b", limit: "80" },
    { name: "c", limit: "5000", enforcement: "soft" },
    { name: "d", limit: "200" },
  ]);
  const ledgers = await Promise.all([start(2), start(2), start(2)]);
  const holds: NewRecord[] = [];
  const keys = Array.from({ length: 200 }, (_, at) => idempotencyKey("decision", `shared ${at}`, 1));
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(random() * from.length)];
  const decision = () => {
    const chosen = accounts.filter(() => random() < 0.6);
    const moves = (chosen.length > 0 ? chosen : accounts).map((id) =>
      move(id, { held: BigInt(Math.floor(random() * 9)) * MILLION }),
    );
    // In any order: the statement brings them into its own.
    const charge = take(moves.toSorted(() => random() - 0.5));
    return newRecord({ charge, ...(random() < 0.4 && { key: pick(keys) ?? new Uint8Array(16) }) });
  };
  const settlement = (hold: NewRecord) => {
    const moves = (hold.charge?.moves ?? []).map(({ account, held }) =>
      move(account, { held: -held, posted: held / 4n }),
    );
    const charge = end(hold.id, moves.toReversed());
    // Two keys, so that some come too late for their hold.
    const key = idempotencyKey("report", `decision:${hold.id}`, random() < 0.5 ? 1 : 2);
    return newRecord({ kind: "report", key, subject: hold.id, charge });
  };
  const told = new Map<string, number>();
  const call = async (): Promise<void> => {
    const ended = random() < 0.5 ? pick(holds) : undefined;
    const record = ended ? settlement(ended) : random() < 0.8 ? decision() : newRecord();
    const outcome = (await pick(ledgers)?.record(record)) ?? { outcome: "gone" };
    if (outcome.outcome === "inserted" && record.charge?.hold?.step === "take") holds.push(record);
    const why = whyOf(outcome);
    told.set(why, (told.get(why) ?? 0) + 1);
  };
  const administrator = new pg.Client({ connectionString: database.runtimeUrl });
  await administrator.connect();
  const stopped = { calls: false };
  const administering = (async () => {
    while (!stopped.calls) {
      const id = `${pick(accounts)}`;
      await administrator.query("begin");
      await administrator.query("update account set frozen = true, frozen_at = now() where id = $1", [id]);
      await administrator.query("update account set frozen = false, frozen_at = null where id = $1", [id]);
      await administrator.query("commit");
    }
  })();
  await Promise.all(
    Array.from({ length: 48 }, async () => {
      for (let calls = 0; calls < 60; calls++) await call();
    }),
  );
  stopped.calls = true;
  await administering;
  await administrator.end();

  expect(await deadlocks()).toBe(0);
  expect(await audit(database)).toEqual({ differences: [], heldWrongly: [] });
  expect(numbersWithoutGaps(await readRows(database))).toBe(true);
  const seen = [...told.keys()].join(" ");
  for (const why of ["inserted", "existing", "gone", "exhausted"]) expect(seen).toContain(why);
});

test("an account that something else keeps locked costs only the calls that need it, and those come to an answer", async () => {
  const [stuck = 0n, free = 0n] = await openBooks(database, [
    { name: "stuck", limit: "50" },
    { name: "free", limit: "50" },
  ]);
  const ledger = await start(1);
  const ask = (account: bigint) => newRecord({ charge: take([move(account, { held: MILLION })]) });
  const held = ask(stuck);
  await ledger.record(held);
  await withClient(database.ownerUrl, async (administrator) => {
    await administrator.query("begin");
    await administrator.query("select from account where id = $1 for update", [`${stuck}`]);
    const batch = [ask(stuck), ask(free), newRecord()].map((record) => ledger.record(record));
    expect((await Promise.all(batch)).map(whyOf)).toEqual(["locked", "inserted", "inserted"]);
    await administrator.query("rollback");
    await administrator.query("begin");
    await administrator.query("select from hold where id = $1 for update", [held.id]);
    const ending = newRecord({ charge: end(held.id, [move(stuck, { held: -MILLION })]) });
    expect(whyOf(await ledger.record(ending))).toBe("locked");
    await administrator.query("rollback");
    await eventually(async () => whyOf(await ledger.record(ending)) === "inserted");
  });
  expect(ledger.state().epochs).toEqual([1n]);
  expect(await readBook(database, stuck)).toMatchObject({ held: 0n });
});
