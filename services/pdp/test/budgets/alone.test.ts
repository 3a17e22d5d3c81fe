import { afterEach, beforeEach, expect, test } from "vitest";
import { accountTakesMax } from "../../src/foundation/balance.ts";
import type { Charge, NewRecord } from "../../src/ledger/index.ts";
import { aloneQuery, readCommittedAlone } from "../../src/stores/alone-statement.ts";
import { insertReplica, insertWriter } from "../../src/stores/writer-row.ts";
import { insertTenant, newRecord } from "../ledger/postgres.ts";
import { editFunction } from "../support/edited-function.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { playBeside } from "./beside-model.ts";
import { audit, end, move, openBooks, take } from "./books.ts";

/*
 * The commit of one record that comes alone, which is a function of the store: played beside the model of the statements that it
 * stands for, and told from ways to get it wrong.
 */

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const FUNCTION = "remit_commit_alone";

/** A part of its text, and what stands there instead. */
type Wrong = readonly [what: string, part: RegExp, instead: string];

const getWrong = (part: RegExp, instead: string) =>
  editFunction(database, FUNCTION, (text) => text.replace(part, instead));

const REPLICA = "01900000-0000-7000-8000-00000000000f";

function alone(writer: bigint, record: NewRecord) {
  const query = aloneQuery(writer, 0n, [record]);
  if (!query) throw new Error("the record is no plain one");
  return query;
}

/** Of all batches. */
const LONE = 0.5;
/** Amounts of which 16 are the greatest that there can be. */
const HUGE = 2n ** 57n;

test.each([{ seed: 7 }, { seed: 8 }, { seed: 9, alarms: true }, { seed: 3, grain: HUGE }])(
  "it does what its model does, $seed",
  async (how) => {
    const { wrong, alone, aloneCharged } = await playBeside(database, { steps: 200, lone: LONE, ...how });
    expect(wrong).toEqual([]);
    expect(alone).toBeGreaterThan(40);
    expect(aloneCharged).toBeGreaterThan(25);
    expect(await audit(database)).toEqual({ differences: [], heldWrongly: [] });
  },
);

const wrongs: readonly Wrong[] = [
  ["it reads and then writes", /for no key update of a\b/, ""],
  ["it does not look whether all its accounts fit", /if fit <> cardinality\(accounts_of\)/, "if false"],
  ["limits are not asked", /w\.held = 0 or w\.held <= case/, "true or w.held <= case"],
  ["limits stay what they were", /least\(coalesce\(a\.own_limit, b\.limit_micros, 0\)/, "least(a.ceiling"],
  [
    "overage takes nothing of what is free",
    /- a\.held::numeric - a\.posted - a\.overage/,
    "- a.held::numeric - a.posted",
  ],
  ["freezes bind nobody", /and not \(a\.frozen or coalesce\(b\.frozen, false\)\)/, ""],
  ["windows that are over let in", /and a\.opens_at <= now\(\) and now\(\) < a\.closes_at/, ""],
  ["another tenant's account is charged", /a\.tenant = of_tenant and \(/, "("],
  ["what is judged too long ago is let in", /if judged_under < coalesce\(least_revision, 0\)/, "if false"],
  ["a hold may be another's", /and h\.decision = had/, ""],
  ["a hold may be gone", /(had for update;\s+if) not found/, "$1 false"],
  ["holds are not locked", /(and h\.decision = had) for update/, "$1"],
  ["a key may be taken", /(do nothing;\s+if) not found/, "$1 false"],
  [
    "what was not inserted is moved",
    /(do nothing;\s+if not found then)/,
    "$1 update account a set held = a.held + m.held from unnest(accounts_of, held_of) as m (id, held) where a.id = m.id;",
  ],
  ["a settlement spends nothing", /a\.posted \+ coalesce\(w\.posted, 0\) as posted/, "a.posted as posted"],
  ["a ceiling stays where it was", /ceiling = greatest\(l\.most, /, "ceiling = greatest(a.ceiling, "],
  [
    "what waits for an approval is not told apart",
    /accounts_of, held_of, waits, hold_until/,
    "accounts_of, held_of, false, hold_until",
  ],
  ["a hold that is ended stays", /delete from hold h where h\.id = ended/, "null"],
];

test.each(wrongs)("it is told from one where %s", async (_what, part, instead) => {
  await getWrong(part, instead);
  const { wrong } = await playBeside(database, { seed: 14, steps: 600, lone: LONE });
  expect(wrong).not.toEqual([]);
});

test("it is told from one where alarms stop nobody", async () => {
  await getWrong(/least\((coalesce\(a\.own_limit, b\.limit_micros, 0\)), a\.alarm\)/, "$1");
  const { wrong } = await playBeside(database, { seed: 7, steps: 600, lone: LONE, alarms: true });
  expect(wrong).not.toEqual([]);
});

test("at the edge of what an account may count it is told from one where soft accounts take whatever comes", async () => {
  await getWrong(/else \d+ end/, "else 1e30 end");
  const { wrong } = await playBeside(database, { seed: 3, steps: 600, lone: LONE, grain: HUGE });
  expect(wrong).not.toEqual([]);
});

/** Whether an account can still be locked while one that comes before it is waited for; it is named first. */
async function isLaterFree(): Promise<boolean> {
  await insertTenant(database);
  const opened = await openBooks(database, [
    { name: "day", limit: "10" },
    { name: "all", limit: "10" },
  ]);
  const [first = 0n, later = 0n] = opened.sort((a, b) => Number(a - b));
  return withClient(database.ownerUrl, (holder) =>
    withClient(database.runtimeUrl, async (committing) => {
      await insertReplica(committing, REPLICA, "test");
      const writer = await insertWriter(committing, REPLICA);
      const { rows } = await committing.query("select pg_backend_pid() as pid");
      await holder.query("begin");
      await holder.query("select from account where id = $1 for no key update", [first]);
      const record = newRecord({ charge: take([move(later, { held: 1n }), move(first, { held: 1n })]) });
      const coming = committing.query(alone(writer, record));
      const waits = "select cardinality(pg_blocking_pids($1)) > 0 as waits";
      await eventually(async () => (await holder.query(waits, [rows[0].pid])).rows[0].waits);
      const lock = "select from account where id = $1 for no key update skip locked";
      const { rowCount } = await holder.query(lock, [later]);
      await holder.query("rollback");
      expect(readCommittedAlone((await coming).rows[0], 0n)).toMatchObject({ told: { alive: true, inserted: 1 } });
      return rowCount === 1;
    }),
  );
}

test("accounts are locked in the order of their numbers, in whatever order they are charged", async () => {
  expect(await isLaterFree()).toBe(true);
});

test("known to be wrong: accounts are locked in another order", async () => {
  await getWrong(/order by a\.id for no key update of a/, "order by a.id desc for no key update of a");
  expect(await isLaterFree()).toBe(false);
});

test("what is more than a plain record is sent as it was", () => {
  const form = (charge: Charge) => aloneQuery(1n, 0n, [newRecord({ charge })]);
  const one = move(1n, { held: 1n });
  expect(form(take([one]))).toBeDefined();
  expect(form(end(REPLICA, [move(1n, { held: -1n, posted: 1n })]))).toBeDefined();
  expect(aloneQuery(1n, 0n, [newRecord()])).toBeDefined();
  expect(aloneQuery(1n, 0n, [newRecord(), newRecord()])).toBeUndefined();
  expect(aloneQuery(1n, 0n, [])).toBeUndefined();
  for (const charge of [
    take([]),
    take([one, one]),
    take([move(1n, { held: accountTakesMax })]),
    take([move(1n, { held: 1n, posted: 1n })]),
    { ...take([one]), freezes: 1n },
    { moves: [move(1n, { overage: 1n })] },
    end(REPLICA, [move(1n, { held: -1n, posted: 1n, overage: 1n })]),
    { moves: [one], hold: { step: "end", hold: REPLICA, decision: REPLICA, overdue: true } },
    { moves: [one], hold: { step: "adopt", hold: REPLICA, decision: REPLICA, expiresAtMs: 1, pending: false } },
    { moves: [one], hold: { step: "extend", hold: REPLICA, decision: REPLICA, expiresAtMs: 1 } },
  ] satisfies Charge[]) {
    expect(form(charge)).toBeUndefined();
  }
});
