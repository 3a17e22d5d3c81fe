import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { leastUuidAt } from "../../src/foundation/ids.ts";
import type { Ledger, ListedRecord } from "../../src/ledger/index.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { insertTenant, newRecord, type OpenLedger, openLedger, TENANT } from "./postgres.ts";

let database: TestDatabase;
let open: OpenLedger;
let ledger: Ledger;

beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
  open = await openLedger(database.runtimeUrl);
  ledger = open.ledger;
});
afterEach(async () => {
  await open.close();
  await database.drop();
});

const everything = {
  ...{ fromId: leastUuidAt(0), beforeId: leastUuidAt(Number.POSITIVE_INFINITY), session: undefined },
  ...{ recordsMax: 100, bytesMax: 1_000_000 },
};

/** Decisions a millisecond apart, of these lengths. */
async function decided(lengths: readonly { readonly body?: number; readonly aside?: number }[]) {
  const records = lengths.map(({ body = 100, aside = 0 }, at) =>
    newRecord({
      ...{ id: leastUuidAt(1_000 + at), body: randomBytes(body) },
      ...(aside > 0 && { aside: randomBytes(aside) }),
    }),
  );
  await Promise.all(records.map((record) => ledger.record(record)));
  return records;
}

/** All of a range, as the reads answered it. */
async function readAll(own: Partial<typeof everything>): Promise<ListedRecord[][]> {
  const reads: ListedRecord[][] = [];
  for (let beforeId = everything.beforeId; ; ) {
    const { records, more } = await ledger.listDecisions(TENANT, { ...everything, ...own, beforeId });
    reads.push([...records]);
    if (!more) return reads;
    beforeId = records.at(-1)?.id ?? beforeId;
  }
}

const tell = (text: string, values: unknown[]) =>
  withClient(database.superuserUrl, (client) => client.query(text, values));

test("a read ends with the body that reaches its bytes, and the next goes on behind it", async () => {
  const records = await decided([400, 400, 400, 5_000, 400, 1_000, 400, 400].map((body) => ({ body, aside: 3_000 })));
  const reads = await readAll({ bytesMax: 1_000 });
  const bodies = reads.map((some) => some.map(({ body }) => body.byteLength));
  // The third was cut by its bytes: whether there is another is found out by the next.
  expect(bodies).toEqual([[400, 400, 1_000], [400, 5_000], [400, 400, 400], []]);
  expect(reads.flat().map(({ id }) => id)).toEqual(records.map(({ id }) => id).toReversed());
  expect(reads.flat().map(({ body }) => body)).toEqual(records.map(({ body }) => body).toReversed());
});

test("a read ends with as many records as it may have, and with the last that there is", async () => {
  await decided(Array.from({ length: 7 }, () => ({})));
  expect((await readAll({ recordsMax: 3 })).map((some) => some.length)).toEqual([3, 3, 1]);
  expect((await readAll({})).map((some) => some.length)).toEqual([7]);
  expect(await ledger.listDecisions("another", everything)).toEqual({ records: [], more: false });
});

test("what stands beside records is read for those that are given, in their order", async () => {
  const records = await decided([{ aside: 10 }, {}, { aside: 300_000 }, { aside: 20 }]);
  const [listed = []] = await readAll({});
  expect(listed.map(({ asideBytes }) => asideBytes)).toEqual([20, 300_000, 0, 10]);
  expect(listed.some((record) => "aside" in record)).toBe(false);
  const some = listed.filter(({ asideBytes }) => asideBytes !== 20);
  const whole = await ledger.withAsides(TENANT, some);
  expect(whole.map(({ id, aside }) => [id, aside])).toEqual(
    [2, 1, 0].map((at) => [records[at]?.id, records[at]?.aside]),
  );
  expect(await ledger.withAsides(TENANT, [])).toEqual([]);
});

test("records of another tenant, and those that have gone, are left out", async () => {
  const records = await decided([{ aside: 10 }, { aside: 10 }, {}]);
  const [listed = []] = await readAll({});
  await tell("delete from record where id = $1", [records[0]?.id]);
  const whole = await ledger.withAsides(TENANT, listed);
  expect(whole.map(({ id }) => id)).toEqual([records[2]?.id, records[1]?.id]);
  const strange = listed.filter(({ asideBytes }) => asideBytes > 0);
  expect(await ledger.withAsides("another", strange)).toEqual([]);
});

test("of a tenant that is erased between the two reads nothing is told that stands beside a record, nor the record", async () => {
  await decided([{ aside: 10 }]);
  const [listed = []] = await readAll({});
  const erase = "insert into data_key (id, tenant, wrapped_by, destroyed_at) values ($1, $2, 'k', now())";
  await tell(erase, [randomUUID(), TENANT]);
  const [record] = await ledger.withAsides(TENANT, listed);
  expect(record).toMatchObject({ erased: true, body: new Uint8Array(0) });
  expect(record?.aside).toBeUndefined();
  const [again] = (await readAll({})).flat();
  expect(again).toMatchObject({ erased: true, body: new Uint8Array(0), asideBytes: 0 });
});
