import { expect, test } from "vitest";
import type { Fault } from "../foundation/fault.ts";
import { createQueue, recordBytes, type Waiting } from "./queue.ts";
import type { NewRecord, RecordKind } from "./record.ts";

const limits = {
  ...{ queueRecordsMax: 8, queueBytesMax: 16_000, queueReservePercent: 25 },
  ...{ batchRecordsMax: 3, batchBytesMax: 1_000, batchMovesMax: 8 },
};

function waiting(id: string, bytes = 100, giveUpAtMs = 0, kind: RecordKind = "decision", tenant = "t"): Waiting {
  const record = { id, kind, tenant } as NewRecord;
  const nobody = () => {};
  return { record, bytes, giveUpAtMs, resubmitted: false, answered: false, resolve: nobody, reject: nobody };
}

const ids = (batch: readonly Waiting[] | null) => batch?.map(({ record }) => record.id);

test("batches are taken in order, each of at most the limit of records", () => {
  const queue = createQueue(limits);
  for (const id of ["a", "b", "c", "d"]) queue.push(waiting(id));
  expect(ids(queue.take())).toEqual(["a", "b", "c"]);
  expect(ids(queue.take())).toEqual(["d"]);
  expect(queue.take()).toBeNull();
});

test("a batch ends before the record that would make it too heavy, and a record heavier than a batch travels alone", () => {
  const queue = createQueue(limits);
  for (const [id, bytes] of [
    ["a", 600],
    ["b", 400],
    ["c", 1],
    ["d", 5_000],
  ] as const)
    queue.push(waiting(id, bytes));
  expect(ids(queue.take())).toEqual(["a", "b"]);
  expect(ids(queue.take())).toEqual(["c"]);
  expect(ids(queue.take())).toEqual(["d"]);
});

test("a batch ends before the record that would move too many accounts, and one that moves more than a batch may travels alone", () => {
  const queue = createQueue(limits);
  const moving = (id: string, count: number) => {
    const moves = Array.from({ length: count }, (_, at) => ({
      account: BigInt(at),
      held: 1n,
      posted: 0n,
      overage: 0n,
    }));
    const one = waiting(id);
    queue.push({ ...one, record: { ...one.record, charge: { moves } } });
  };
  moving("a", 5);
  moving("b", 3);
  moving("c", 1);
  moving("d", 128);
  expect(ids(queue.take())).toEqual(["a", "b"]);
  expect(ids(queue.take())).toEqual(["c"]);
  expect(ids(queue.take())).toEqual(["d"]);
});

test("no id stands twice in a batch", () => {
  const queue = createQueue(limits);
  for (const id of ["a", "b", "a", "c"]) queue.push(waiting(id));
  expect(ids(queue.take())).toEqual(["a", "b"]);
  expect(ids(queue.take())).toEqual(["a", "c"]);
});

const full = (limit: string) =>
  expect.objectContaining({
    ...{ kind: "exhausted", reason: "overloaded" },
    detail: expect.objectContaining({ limit }),
  }) as Fault;

test("past the limit of records or bytes a record is refused, and the limit is named; reports have a part of their own", () => {
  const queue = createQueue(limits);
  // Three tenants, so that none is too big for itself.
  const push = (id: number, kind: RecordKind = "decision", bytes = 100) =>
    queue.push(waiting(String(id), bytes, 0, kind, `t${id % 3}`));
  for (let at = 0; at < 6; at++) push(at);
  expect(queue.fill).toBe(1);
  expect(() => push(6)).toThrow(full("6 records"));
  push(6, "report");
  push(7, "report");
  expect(() => push(8, "report")).toThrow(full("8 records"));
  queue.take();
  push(8, "report");
  expect(queue.records).toBe(6);
});

test("bytes are bounded like records", () => {
  const queue = createQueue({ ...limits, queueRecordsMax: 100 });
  const push = (id: string, bytes: number, kind: RecordKind = "decision") =>
    queue.push(waiting(id, bytes, 0, kind, id));
  push("a", 7_000);
  push("b", 5_000);
  expect(queue.fill).toBe(1);
  expect(() => push("c", 1)).toThrow(full("12000 bytes"));
  push("d", 4_000, "report");
  expect(() => push("e", 1, "report")).toThrow(full("16000 bytes"));
  while (queue.take()) expect(queue.bytes).toBeGreaterThanOrEqual(0);
  expect([queue.records, queue.bytes, queue.fill]).toEqual([0, 0, 0]);
});

test("a tenant that floods the queue leaves room for others, however many flood it", () => {
  const queue = createQueue({ ...limits, queueRecordsMax: 4_000, queueBytesMax: 1e9 });
  const flood = (tenant: string, kind: RecordKind = "decision") => {
    for (let held = 0; ; held++) {
      try {
        queue.push(waiting(`${tenant}-${held}`, 100, 0, kind, tenant));
      } catch {
        return held;
      }
    }
  };
  expect(flood("first")).toBe(2_000);
  expect(flood("second")).toBe(667);
  expect(flood("third")).toBe(222);
  expect(flood("fourth")).toBe(74);
  // Reports of the very tenant that floods it are taken all the same.
  expect(flood("first", "report")).toBeGreaterThan(600);
  expect(flood("fifth", "report")).toBeGreaterThan(100);
});

test("records that are put back come first, and no limit keeps them out", () => {
  const queue = createQueue(limits);
  for (let at = 0; at < 4; at++) queue.push(waiting(String(at)));
  expect(() => queue.push(waiting("more"))).toThrow();
  queue.putBack([..."uvwxyz"].map((id) => waiting(id)));
  expect(queue.records).toBe(10);
  expect(ids(queue.take())).toEqual(["u", "v", "w"]);
  expect(ids(queue.take())).toEqual(["x", "y", "z"]);
  expect(ids(queue.take())).toEqual(["0", "1", "2"]);
});

test("records whose time is over are removed, the others keep their order", () => {
  const queue = createQueue(limits);
  for (const [id, atMs] of [
    ["a", 30],
    ["b", 10],
    ["c", 20],
    ["d", 40],
  ] as const)
    queue.push(waiting(id, 100, atMs));
  expect(ids(queue.expire(20))).toEqual(["b", "c"]);
  expect(queue.expire(20)).toEqual([]);
  expect(queue.bytes).toBe(200);
  expect(ids(queue.take())).toEqual(["a", "d"]);
});

test("draining takes everything", () => {
  const queue = createQueue(limits);
  for (const id of ["a", "b"]) queue.push(waiting(id));
  expect(ids(queue.drain())).toEqual(["a", "b"]);
  expect([queue.records, queue.bytes]).toEqual([0, 0]);
});

test("a record weighs its body, what stands beside it, and a row's frame", () => {
  const record = { body: new Uint8Array(1_000) } as NewRecord;
  expect(recordBytes(record)).toBe(1_256);
  expect(recordBytes({ ...record, aside: new Uint8Array(5_000) })).toBe(6_256);
});
