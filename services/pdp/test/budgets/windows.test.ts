import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

/* The windows of calendars are the store's, by its clock and its time zones: here with moments of our own. */

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const asOwner = <Value>(sql: string, values: unknown[] = []) =>
  withClient(database.ownerUrl, async (client) => (await client.query(sql, values)).rows as Value[]);

type Case = readonly [kind: string, zone: string, moment: string, opens: string, hours: number];

const cases: readonly Case[] = [
  // The clocks go forward and back in Berlin, New York and Lord Howe, whose summer is half an hour.
  ["day", "Europe/Berlin", "2026-03-29T12:00Z", "2026-03-28T23:00:00.000Z", 23],
  ["day", "Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00:00.000Z", 25],
  ["day", "America/New_York", "2026-11-01T12:00Z", "2026-11-01T04:00:00.000Z", 25],
  ["day", "Australia/Lord_Howe", "2026-10-04T06:00Z", "2026-10-03T13:30:00.000Z", 23.5],
  ["day", "Australia/Lord_Howe", "2026-04-05T06:00Z", "2026-04-04T13:00:00.000Z", 24.5],
  ["day", "Asia/Kolkata", "2026-05-05T18:29:59Z", "2026-05-04T18:30:00.000Z", 24],
  ["day", "Asia/Kathmandu", "2026-05-05T18:15Z", "2026-05-05T18:15:00.000Z", 24],
  // Midnight is skipped, and comes twice.
  ["day", "America/Sao_Paulo", "2018-11-04T12:00Z", "2018-11-04T03:00:00.000Z", 23],
  ["day", "America/Sao_Paulo", "2018-02-17T12:00Z", "2018-02-17T02:00:00.000Z", 25],
  ["day", "America/Havana", "2026-11-01T04:30Z", "2026-11-01T04:00:00.000Z", 25],
  ["day", "America/Havana", "2026-11-01T05:30Z", "2026-11-01T04:00:00.000Z", 25],
  // A date that Samoa never had.
  ["day", "Pacific/Apia", "2011-12-30T09:59Z", "2011-12-29T10:00:00.000Z", 24],
  ["day", "Pacific/Apia", "2011-12-30T10:00Z", "2011-12-30T10:00:00.000Z", 24],
  ["hour", "Asia/Kolkata", "2026-05-05T18:29:59Z", "2026-05-05T17:30:00.000Z", 1],
  ["hour", "Europe/Berlin", "2026-10-25T01:30Z", "2026-10-25T01:00:00.000Z", 1],
  ["hour", "Australia/Lord_Howe", "2026-04-04T15:15Z", "2026-04-04T14:00:00.000Z", 1.5],
  ["week", "Europe/Berlin", "2026-03-29T21:59Z", "2026-03-22T23:00:00.000Z", 167],
  ["week", "UTC", "2027-01-03T23:59Z", "2026-12-28T00:00:00.000Z", 168],
  ["month", "Europe/Berlin", "2026-03-31T21:59Z", "2026-02-28T23:00:00.000Z", 743],
  ["month", "UTC", "2028-02-29T00:00Z", "2028-02-01T00:00:00.000Z", 696],
];

test("days have the hours that their zone gives them, hours begin with a full one, weeks on Monday", async () => {
  const rows = await asOwner<{ opens: Date; hours: number }>(
    `select w.opens_at as opens, extract(epoch from w.closes_at - w.opens_at)::float8 / 3600 as hours
       from unnest($1::text[], $2::text[], $3::timestamptz[]) with ordinality c (kind, zone, moment, i),
         lateral remit_window(c.kind, c.zone, c.moment) w order by i`,
    [0, 1, 2].map((column) => cases.map((one) => one[column])),
  );
  const found = rows.map(({ opens, hours }) => [opens.toISOString(), hours]);
  expect(cases.map(([kind, zone, moment], at) => [kind, zone, moment, ...(found[at] ?? [])])).toEqual(cases);
});

test("a window that is none is an error", async () => {
  const asked = asOwner("select remit_window('fortnight', 'UTC', now())");
  await expect(asked).rejects.toMatchObject({ code: "22023" });
});

test("windows of a zone follow each other without gaps, and each is the window of all its moments", async () => {
  const zones = [
    "UTC",
    "Europe/Berlin",
    "America/Havana",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
  ];
  const wrong = await asOwner(
    `select z.zone, k.kind, t.moment, w.*
       from unnest($1::text[]) z (zone), unnest(array['hour', 'day', 'week', 'month']) k (kind),
         unnest(array[timestamptz '2018-02-17', '2018-11-03', '2026-03-28', '2026-04-04', '2026-10-03', '2026-10-31']) d (at),
         generate_series(0, 40, 8) h (hours), lateral (select d.at + h.hours * interval '67 minutes' as moment) t,
         lateral remit_window(k.kind, z.zone, t.moment) w,
         lateral remit_window(k.kind, z.zone, w.opens_at) same,
         lateral remit_window(k.kind, z.zone, w.closes_at - interval '1 microsecond') last,
         lateral remit_window(k.kind, z.zone, w.closes_at) after
      where not (w.opens_at <= t.moment and t.moment < w.closes_at and same = w and last = w
        and after.opens_at = w.closes_at)`,
    [zones],
  );
  expect(wrong).toEqual([]);
});
