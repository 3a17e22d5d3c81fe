import fc from "fast-check";
import { expect, test } from "vitest";
import {
  byteaArray,
  dateArray,
  int8Array,
  textArray,
  timestamptzArray,
  uuidArray,
} from "../../src/stores/binary-array.ts";
import { createTestDatabase, withClient } from "../support/test-database.ts";

const many = <Element>(element: fc.Arbitrary<Element>) => fc.array(element, { maxLength: 20 });
const maybe = <Element>(element: fc.Arbitrary<Element>) => fc.option(element, { nil: undefined, freq: 3 });
// Postgres text holds everything but U+0000.
const text = fc.string({ unit: "binary" }).filter((one) => one.isWellFormed() && !one.includes("\0"));
const day = fc
  .date({ min: new Date("1970-01-01"), max: new Date("2200-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const rows = fc.record({
  texts: many(text),
  bytes: many(maybe(fc.uint8Array({ maxLength: 300 }))),
  uuids: many(maybe(fc.uuid())),
  numbers: many(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  days: many(day),
  times: many(maybe(fc.integer({ min: 0, max: 4_102_444_800_000 }))),
});

test("Postgres reads what was written", async () => {
  const database = await createTestDatabase();
  await withClient(database.runtimeUrl, async (client) => {
    await fc.assert(
      fc.asyncProperty(rows, async ({ texts, bytes, uuids, numbers, days, times }) => {
        const { rows: read } = await client.query({
          name: "arrays",
          text: `select $1::text[] as texts, $2::bytea[] as bytes, $3::uuid[]::text[] as uuids, $4::int8[]::text[] as numbers,
            $5::date[]::text[] as days, array(select (extract(epoch from t) * 1000)::bigint::text
              from unnest($6::timestamptz[]) with ordinality as u (t, i) order by i) as times`,
          values: [
            ...[textArray(texts), byteaArray(bytes), uuidArray(uuids)],
            ...[int8Array(numbers), dateArray(days), timestamptzArray(times)],
          ],
        });
        expect(read[0]).toEqual({
          texts,
          bytes: bytes.map((one) => (one ? Buffer.from(one) : null)),
          uuids: uuids.map((one) => one ?? null),
          numbers: numbers.map(String),
          days,
          times: times.map((one) => (one === undefined ? null : String(one))),
        });
      }),
      { numRuns: 200 },
    );
  });
  await database.drop();
});

test("what is no UUID, or more than 64 bits hold, is refused", () => {
  const uuid = "01a20169-2efd-7275-bdb1-d7b6e0d0fb69";
  expect(uuidArray([uuid.toUpperCase()])).toEqual(uuidArray([uuid]));
  const wrong = [
    ...["", uuid.slice(1), `${uuid}0`, uuid.replaceAll("-", ""), uuid.replace("-", "0"), uuid.replace("b", "-")],
    // Of each place: no digit, and what is one only by its last bits.
    ...Array.from(uuid, (_, at) => `${uuid.slice(0, at)}g${uuid.slice(at + 1)}`),
    ...Array.from(uuid, (_, at) => `${uuid.slice(0, at)}\u0130${uuid.slice(at + 1)}`),
  ];
  for (const text of wrong) expect(() => uuidArray([text])).toThrow(RangeError);
  for (const value of [2n ** 63n, -(2n ** 63n) - 1n, 2n ** 64n]) expect(() => int8Array([value])).toThrow(RangeError);
});
