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
