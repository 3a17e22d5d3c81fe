import { afterEach, beforeEach, expect, test } from "vitest";
import { systemRandom, uuidMaker } from "../../src/foundation/ids.ts";
import { silentLog } from "../../src/foundation/log.ts";
import { checkCell, claimCell } from "../../src/stores/cell.ts";
import { recover } from "../../src/stores/recover.ts";
import { declare } from "../budgets/books.ts";
import { furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const newId = uuidMaker(systemRandom());
const run = (apply: boolean, url = database.ownerUrl) => recover({ url, apply, newId });

const rows = (sql: string) =>
  withClient(database.superuserUrl, async (client) => (await client.query({ text: sql, rowMode: "array" })).rows);

/** What a promotion or a restored backup is to the store: it remembers another Postgres than the one it is on. */
const becomeAnother = () => rows("update cell set timeline = timeline + 1 returning one");

const decide = (house: House, headers: Record<string, string>, callId: string) =>
  house.clients.decisions.decide(
    { callId, tool: "payments.transfer", input: { case: "inputObject", value: { amount: 1 } } },
    { headers },
  );

/** Everything that a recovery may touch. */
const everything = () =>
  rows(`select 'replica', id::text, alive::text from replica union all
    select 'writer', writer::text, alive::text || coalesce(last_n::text, '') from writer union all
    select 'revision', tenant, security::text from revision union all
    select 'record', id::text, n::text from record union all
    select 'numbers', record_ord.last_value::text, '' from record_ord union all
    select 'budget', name, frozen::text from budget union all
    select 'account', id::text, frozen::text from account union all
    select 'cell', timeline::text, '' from cell order by 1, 2`);

test("where the pair fits there is nothing to recover, and nothing is changed", async () => {
  await withClient(database.runtimeUrl, claimCell);
  const before = await everything();
  expect(await run(true)).toMatchObject({ state: "fits", findings: [] });
  expect(await everything()).toEqual(before);
});

test("a store that nobody has started on is told so, and the role of the service may not recover", async () => {
  await expect(run(false)).rejects.toMatchObject({ reason: "cell_unclaimed" });
  await withClient(database.runtimeUrl, claimCell);
  await becomeAnother();
  await expect(run(true, database.runtimeUrl)).rejects.toMatchObject({ reason: "not_the_owner" });
  await expect(withClient(database.runtimeUrl, checkCell)).rejects.toMatchObject({ reason: "cell_changed" });
});

test("a dry run tells what there is and changes nothing; the recovery changes it, once; and the cell goes on", async () => {
  const config = testConfig(database.runtimeUrl);
  const house = await startHouse({ database, config });
  await furnish(house);
  const { headers } = await openSession(house);
  const answered = await decide(house, headers, "before");
  const [[security] = []] = await rows("select security::text from revision");
  await withClient(database.ownerUrl, async (client) => {
    await declare(client, { name: "day", limit: "5" }, "default");
    await declare(client, { name: "watched", limit: "5", enforcement: "soft" }, "default");
    await client.query("select remit_open_session_account('default', id, 'EUR', 5000000) from session");
  });
  // It was killed: nobody declared it dead.
  await house.pdp.close();
  await rows("update writer set alive = true, last_n = null returning writer");
  await rows("update replica set alive = true returning id");
  await becomeAnother();

  const before = await everything();
  const dry = await run(false);
  expect(dry.state).toBe("found");
  expect(dry.findings.map(({ found }) => found)).toEqual([
    expect.stringMatching(/^1 replica and \d writers count as alive$/),
    expect.stringMatching(/^the last record is of \d{4}-/),
    expect.stringMatching(/^the last writer is \d, the last commit's order \d+$/),
    "1 hard budget and 1 account of sessions' own let calls in",
    `1 tenant, at security revisions up to ${security}`,
  ]);
  expect(await everything()).toEqual(before);

  const both = await Promise.all([run(true), run(true)]);
  expect(both.every(({ state }) => state !== "found")).toBe(true);
  expect(await rows("select count(*)::int from replica where alive")).toEqual([[0]]);
  expect(
    await rows(`select count(*)::int from writer w
      where alive or last_n is distinct from (select coalesce(max(n), 0) from record r where r.writer = w.writer)`),
  ).toEqual([[0]]);
  expect(await rows("select security::text from revision")).toEqual([[String(BigInt(security) + 1_000_000n)]]);
  expect(await rows("select name, frozen, freeze_reason is null from budget order by name")).toEqual([
    ["day", true, false],
    ["watched", false, true],
  ]);
  expect(await rows("select frozen, frozen_why from account")).toEqual([[true, "recovery"]]);
  // Whoever recovers a store may not have the key that its entries are sealed under: this one is not sealed.
  const entries = await rows(`select writer::text, n::int, kind, convert_from(body, 'UTF8')::jsonb from record
    join writer using (writer) join replica r on r.id = writer.replica where r.host = 'remit recover'`);
  expect(entries).toEqual([
    [
      expect.stringMatching(/^10000000\d\d$/),
      1,
      "admin",
      expect.objectContaining({
        change: "store_recovered",
        caller: { name: "remit recover", role: "remit_owner" },
        what: expect.objectContaining({ findings: dry.findings }),
      }),
    ],
  ]);

  // It goes on: under numbers that were never answered, with what was recorded found.
  await using next = await startHouse({ database, config, ownerKey: house.ownerKey });
  const after = await decide(next, headers, "after");
  expect(after.record?.epoch).toBeGreaterThan(1_000_000_000n);
  expect(after.revision).toBeGreaterThan(1_000_000n);
  const again = await decide(next, headers, "before");
  expect(again).toMatchObject({ decisionId: answered.decisionId, replayed: true });
  const [[ord] = []] = await rows("select min(ord)::text from record where writer > 1000000000");
  expect(BigInt(ord)).toBeGreaterThan(1_000_000_000_000n);
  await next.close();
});

test("a process that is still running on a store that was recovered is shut out", async () => {
  const house = await startHouse({ database, log: silentLog });
  await becomeAnother();
  await run(true);
  expect(await house.pdp.failed).toContain("declared this one dead");
  await house.pdp.close();
});
