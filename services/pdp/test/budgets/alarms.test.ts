import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { spendingAlarm } from "../../src/behaviour/index.ts";
import { formatAmount } from "../../src/foundation/amount.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

/* What is out of the ordinary is computed twice, by the store and by whoever reads an entry: here side by side. */

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const micros = fc.oneof(fc.bigInt(0n, 50n), fc.bigInt(0n, 10n ** 12n), fc.bigInt(0n, 2n ** 61n));
const cases = fc.record({
  history: fc.array(micros, { minLength: 0, maxLength: 32 }),
  deviations: fc.integer({ min: 1, max: 100 }),
  windowsMin: fc.integer({ min: 3, max: 16 }),
  floor: fc.option(micros),
  limit: micros,
});

test("the store says what the rule says", async () => {
  const drawn = fc.sample(cases, { numRuns: 500, seed: 11 });
  const documents = drawn.map(({ deviations, windowsMin, floor, limit }) => {
    const anomaly = { deviations, windowsMin, ...(floor !== null && { floor: formatAmount(floor) }) };
    const owner = { agent: "clerk" };
    return { spec: { unit: "EUR", limit: formatAmount(limit), window: "day", owner, enforcement: "hard", anomaly } };
  });
  const found = await withClient(database.ownerUrl, async (client) => {
    const { rows } = await client.query<{ alarm: string | null }>(
      `select remit_spending_alarm(c.document, c.most, c.history::bigint[])::text as alarm
         from unnest($1::jsonb[], $2::bigint[], $3::text[]) with ordinality as c (document, most, history, i) order by i`,
      [documents, drawn.map(({ limit }) => String(limit)), drawn.map(({ history }) => `{${history.join()}}`)],
    );
    return rows.map(({ alarm }) => (alarm === null ? undefined : BigInt(alarm)));
  });
  const expected = drawn.map(({ history, deviations, windowsMin, floor, limit }) => {
    return spendingAlarm(history, { deviations, windowsMin, floor: floor ?? limit / 5n })?.alarm;
  });
  expect(found).toEqual(expected);
  expect(expected.filter((alarm) => alarm !== undefined).length).toBeGreaterThan(100);
});

const asOwner = <Row extends object>(text: string, values: unknown[] = []) =>
  withClient(database.ownerUrl, async (client) => (await client.query<Row>(text, values)).rows);

const START_MS = Date.UTC(2026, 4, 5);
const HOUR_MS = 3_600_000;
const TENANT = "acme";

const watched = (name: string, anomaly: object | null = { deviations: 6, windowsMin: 3 }, limit = "500") =>
  asOwner(
    `insert into budget (tenant, name, document, source, digest, revision) values ($1, $2, $3, '', sha256(''), 1)
       on conflict (tenant, name) do update set document = excluded.document`,
    [
      ...[TENANT, name],
      JSON.stringify({
        spec: {
          ...{ unit: "EUR", limit, window: "hour", owner: "tenant", per: ["agent"], enforcement: "hard" },
          ...(anomaly && { anomaly }),
        },
      }),
    ],
  );

/** Opens the account of an hour as a call at that time would; with what is in it then. */
async function hour(
  name: string,
  at: number,
  spent: Partial<Record<"held" | "posted" | "overage", number>> = {},
  key = "",
) {
  const moment = new Date(START_MS + at * HOUR_MS + 60_000);
  const [opened] = await asOwner<{ id: string }>(
    "select id from remit_open_accounts_at($1, array[$2], array[$3], $4)",
    [...[TENANT, name, key, moment]],
  );
  const { held = 0, posted = 0, overage = 0 } = spent;
  await asOwner("update account set held = $2, posted = $3, overage = $4, ceiling = 1000000000 where id = $1", [
    ...[opened?.id, held, posted, overage],
  ]);
  const [row] = await asOwner<{ history: string[] | null; alarm: string | null }>(
    "select history, alarm from account where id = $1",
    [opened?.id],
  );
  return { id: opened?.id, history: row?.history?.map(Number), alarm: row?.alarm && Number(row.alarm) };
}

test("a window looks back on what was spent, held and overdrawn in those before it, of the same key and as it was then", async () => {
  await asOwner("insert into tenant (id) values ($1)", [TENANT]);
  await watched("looked");
  expect(await hour("looked", 0, { held: 1, posted: 20, overage: 3 })).toMatchObject({ history: [], alarm: null });
  await hour("looked", 0, { posted: 999 }, '{"per":{"agent":"another"}}');
  expect(await hour("looked", 1)).toMatchObject({ history: [24], alarm: null });
  // An hour in which nothing was spent says nothing, and one that nobody asked in neither.
  expect(await hour("looked", 2, { posted: 30 })).toMatchObject({ history: [24] });
  const judged = await hour("looked", 9, { posted: 20 });
  expect(judged).toMatchObject({ history: [30, 24], alarm: null });
  const last = await hour("looked", 10, { posted: 24 });
  expect(last.history).toEqual([20, 30, 24]);
  const settings = { deviations: 6, windowsMin: 3, floor: 100_000_000n };
  expect(last.alarm).toBe(Number(spendingAlarm([20n, 30n, 24n], settings)?.alarm));
  // What becomes of it later changes nothing: it is opened once.
  await asOwner("update account set posted = 400 where id = $1", [judged.id]);
  expect((await hour("looked", 10, { posted: 24 })).history).toEqual([20, 30, 24]);
  expect((await hour("looked", 11)).history).toEqual([24, 400, 30, 24]);
});

test("at most 32 windows are looked back on, the newest, and only where a budget says so", async () => {
  await watched("long");
  await asOwner(`do $$ begin
    for at in 0..33 loop
      perform remit_open_accounts_at('${TENANT}', '{long}', '{""}', timestamptz '2026-05-05 00:01Z' + interval '1 hour' * at);
      update account set posted = at + 1, ceiling = at + 1 where budget = 'long' and posted = 0;
    end loop;
  end $$`);
  const { history } = await hour("long", 40);
  expect(history).toEqual(Array.from({ length: 32 }, (_, at) => 34 - at));
  await watched("plain", null);
  await hour("plain", 0, { posted: 5 });
  expect(await hour("plain", 1)).toMatchObject({ history: undefined, alarm: null });
});

test("settings that change while a window is opened bind it all the same", async () => {
  await watched("together", { deviations: 6, windowsMin: 3, floor: "1" });
  // Windows of now: settings change those alone.
  const open =
    "select id from remit_open_accounts_at($1, array['together'], array[''], now() - interval '1 hour' * $2)";
  for (const back of [3, 2, 1]) await asOwner(open, [TENANT, back]);
  await asOwner("update account set posted = 10000000, ceiling = 10000000 where budget = 'together'");
  await withClient(database.ownerUrl, async (changing) => {
    await changing.query("begin");
    await changing.query(
      `update budget set document = jsonb_set(document, '{spec,anomaly,floor}', '"77"') where tenant = $1 and name = 'together'`,
      [TENANT],
    );
    const opening = withClient(database.ownerUrl, async (client) => (await client.query(open, [TENANT, 0])).rows);
    const waits =
      "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%remit_open_accounts_at%together%'";
    while ((await asOwner(waits)).length === 0);
    await changing.query("commit");
    expect(await opening).toHaveLength(1);
  });
  const alarms =
    "select alarm::text from account where budget = 'together' and opens_at <= now() and now() < closes_at";
  expect(await asOwner(alarms)).toEqual([{ alarm: "77000000" }]);
});
