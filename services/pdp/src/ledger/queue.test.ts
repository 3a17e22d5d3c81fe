import { expect, test } from "vitest";
import type { Fault } from "../foundation/fault.ts";
import { createQueue, recordBytes, type Waiting } from "./queue.ts";
import type { NewRecord } from "./record.ts";

const limits = { queueRecordsMax: 5, queueBytesMax: 10_000, batchRecordsMax: 3, batchBytesMax: 1_000 };

function waiting(id: string, bytes = 100, giveUpAtMs = 0): Waiting {
  const record = { id } as NewRecord;
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

test("no id stands twice in a batch", () => {
  const queue = createQueue(limits);
  for (const id of ["a", "b", "a", "c"]) queue.push(waiting(id));
  expect(ids(queue.take())).toEqual(["a", "b"]);
  expect(ids(queue.take())).toEqual(["a", "c"]);
});

test("at the limit of records or bytes a record is refused, and the limit is named", () => {
  const records = createQueue(limits);
  for (let at = 0; at < 5; at++) records.push(waiting(String(at)));
  const full = { kind: "exhausted", reason: "overloaded" };
  expect(() => records.push(waiting("more"))).toThrow(
    expect.objectContaining({ ...full, detail: expect.objectContaining({ limit: "5 records" }) }),
  );
  const bytes = createQueue(limits);
  bytes.push(waiting("all", 10_000));
  expect(() => bytes.push(waiting("more", 1))).toThrow(expect.objectContaining<Partial<Fault>>({ kind: "exhausted" }));
  bytes.take();
  bytes.push(waiting("more", 1));
  expect([bytes.records, bytes.bytes]).toEqual([1, 1]);
});

test("records that are put back come first, and no limit keeps them out", () => {
  const queue = createQueue(limits);
  for (let at = 0; at < 5; at++) queue.push(waiting(String(at)));
  queue.putBack([waiting("x"), waiting("y")]);
  expect(queue.records).toBe(7);
  expect(ids(queue.take())).toEqual(["x", "y", "0"]);
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
