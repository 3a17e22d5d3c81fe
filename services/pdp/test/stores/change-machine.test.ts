import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { playChanges } from "./change-machine.ts";

const SEEDS = 6;
const STEPS = 120;
const SEEDS_TO_CATCH = 40;

let database: TestDatabase;
let at: { service: pg.Client; superuser: pg.Client };

beforeAll(async () => {
  database = await createTestDatabase();
  const service = new pg.Client({ connectionString: database.runtimeUrl });
  const superuser = new pg.Client({ connectionString: database.superuserUrl });
  await Promise.all([service.connect(), superuser.connect()]);
  // What happens by itself passes no trigger.
  await superuser.query("set session_replication_role = replica");
  at = { service, superuser };
});

afterAll(async () => {
  await Promise.all([at.service.end(), at.superuser.end()]);
  await database.drop();
});

test("whoever proposes, approves, rejects and applies in whatever order, the database lets through what it may and no more", async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { wrong, passed } = await playChanges(seed, STEPS, at);
    expect(wrong, `seed ${seed}`).toBeUndefined();
    for (const [name, times] of passed) seen.set(name, (seen.get(name) ?? 0) + times);
  }
  expect([...seen.keys()].sort()).toEqual([
    ...["alone", "apply", "approve", "expired", "propose", "rejected", "withdrawn"],
  ]);
});

const mistakes: readonly (readonly [string, string, string, string])[] = [
  [
    "self-approval",
    "remit_change_approved",
    "if remit_same_hands(new.tenant, new.approver, about.proposed_by)",
    "if false",
  ],
  [
    "one person twice",
    "remit_change_approved",
    "and remit_same_hands(new.tenant, new.approver, a.approver)",
    "and false",
  ],
  ["a stale digest", "remit_change_approved", "new.digest <> about.digest", "false"],
  ["approval after the end of its time", "remit_change_approved", "clock_timestamp() >= about.expires_at", "false"],
  ["approval of what is over", "remit_change_approved", "about.state is distinct from 'proposed'", "false"],
  ["applied twice", "remit_change_ended", "old.state <> 'proposed' or", "false or"],
  ["applied after the end of its time", "remit_change_ended", "clock_timestamp() >= new.expires_at", "false"],
  ["too few", "remit_change_ended", "agreed < greatest(needed, 2) - 1", "false"],
  ["those who are revoked", "remit_change_ended", "and a.approver <> new.proposed_by and not c.revoked", ""],
  [
    "a proposer who is revoked",
    "remit_change_ended",
    "c.id = new.proposed_by and not c.revoked",
    "c.id = new.proposed_by",
  ],
  ["withdrawn by another", "remit_change_ended", "new.ended_by is distinct from new.proposed_by", "false"],
  [
    "another transaction",
    "remit_require_change",
    "c.applied_in = pg_current_xact_id() and c.ended_at = now()",
    "c.applied_in is not null",
  ],
  ["a row that has moved", "remit_require_change", "coalesce(e -> 'was', 'null') = coalesce(before, 'null')", "true"],
];

test.each(mistakes)("the simulation finds guards that let through: %s", async (_name, guard, right, wrong) => {
  const { rows } = await at.superuser.query<{ text: string }>(
    "select pg_get_functiondef(oid) as text from pg_proc where proname = $1",
    [guard],
  );
  const text = rows[0]?.text ?? "";
  expect(text).toContain(right);
  await at.superuser.query(text.replace(right, wrong));
  try {
    let found: string | undefined;
    for (let seed = 1; seed <= SEEDS_TO_CATCH && found === undefined; seed++) {
      found = (await playChanges(seed, STEPS, at)).wrong;
    }
    expect(found).toBeDefined();
  } finally {
    await at.superuser.query(text);
  }
});
