import fc from "fast-check";
import { expect, test } from "vitest";
import { createQueue, type Queue, type Waiting } from "./queue.ts";
import type { NewRecord } from "./record.ts";
import { TURN_BYTES } from "./turns.ts";

const RECORD_BYTES_MAX = 40_000;
const limits = {
  ...{ queueRecordsMax: 100_000, queueBytesMax: 1e12, queueReservePercent: 0 },
  ...{ batchRecordsMax: 16, batchBytesMax: 64_000, batchMovesMax: 2_048 },
};

function waiting(id: string, tenant: string, bytes: number): Waiting {
  const record = { id, tenant, kind: "decision" } as NewRecord;
  const nobody = () => {};
  return { record, bytes, giveUpAtMs: 0, resubmitted: false, answered: false, resolve: nobody, reject: nobody };
}

/** What was here before tenants took turns: first come, first taken. */
function firstComeFirstTaken(): Pick<Queue, "push" | "take"> {
  const line: Waiting[] = [];
  return {
    push: (one) => void line.push(one),
    take: () => (line.length === 0 ? null : line.splice(0, limits.batchRecordsMax)),
  };
}

/** Two tenants that wait all the time: how many bytes the one gets ahead of the other, at most. */
function lead(queue: Pick<Queue, "push" | "take">, first: readonly number[], second: readonly number[]): number {
  for (const [at, bytes] of first.entries()) queue.push(waiting(`a${at}`, "a", bytes));
  for (const [at, bytes] of second.entries()) queue.push(waiting(`b${at}`, "b", bytes));
  const left = { a: first.length, b: second.length };
  const got = { a: 0, b: 0 };
  let most = 0;
  for (let batch = queue.take(); batch; batch = queue.take()) {
    for (const { record, bytes } of batch) {
      const tenant = record.tenant as "a" | "b";
      got[tenant] += bytes;
      left[tenant]--;
      if (left.a > 0 && left.b > 0) most = Math.max(most, Math.abs(got.a - got.b));
    }
  }
  return most;
}

const sizes = fc.array(fc.integer({ min: 256, max: RECORD_BYTES_MAX }), { minLength: 20, maxLength: 80 });
// A turn of each, and the record that one of them still saves for.
const LEAD_MAX = 2 * TURN_BYTES + 2 * RECORD_BYTES_MAX;

test("of two tenants that always wait, neither gets ahead of the other by more than its turn and a record", () => {
  fc.assert(
    fc.property(sizes, sizes, (first, second) => {
      expect(lead(createQueue(limits), first, second)).toBeLessThanOrEqual(LEAD_MAX);
    }),
  );
});

test("a queue that is first come, first taken breaks that", () => {
  const many = Array.from({ length: 80 }, () => RECORD_BYTES_MAX);
  expect(lead(firstComeFirstTaken(), many, many)).toBeGreaterThan(LEAD_MAX);
  expect(lead(createQueue(limits), many, many)).toBeLessThanOrEqual(LEAD_MAX);
});

test("who comes anew waits for one round of turns, however much another has brought", () => {
  const queue = createQueue(limits);
  for (let at = 0; at < 5_000; at++) queue.push(waiting(`flood-${at}`, "flood", 900));
  queue.take();
  queue.push(waiting("one", "small", 900));
  const ids = queue.take()?.map(({ record }) => record.id);
  expect(ids).toContain("one");
});

type Step =
  | { readonly kind: "push"; readonly id: number; readonly tenant: number; readonly bytes: number }
  | { readonly kind: "take" }
  | { readonly kind: "putBack" }
  | { readonly kind: "expire"; readonly below: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("push" as const),
        id: fc.nat(40),
        tenant: fc.nat(4),
        bytes: fc.integer({ min: 1, max: 90_000 }),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: "take" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "putBack" as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("expire" as const), below: fc.nat(300) }) },
  ),
  { maxLength: 120 },
);

test("nothing is lost, nothing is given twice, a tenant's records keep their order, and every batch is within its bounds", () => {
  fc.assert(
    fc.property(steps, (list: readonly Step[]) => {
      const queue = createQueue(limits);
      const order = new Map<Waiting, number>();
      const inside = new Set<Waiting>();
      let last: Waiting[] = [];
      const check = (batch: readonly Waiting[]) => {
        const ids = batch.map(({ record }) => record.id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(batch.length).toBeLessThanOrEqual(limits.batchRecordsMax);
        const bytes = batch.reduce((sum, one) => sum + one.bytes, 0);
        expect(batch.length === 1 || bytes <= limits.batchBytesMax).toBe(true);
        for (const one of batch) {
          expect(inside.delete(one)).toBe(true);
          const older = [...inside].filter(({ record }) => record.tenant === one.record.tenant);
          for (const other of older) expect(order.get(other) ?? 0).toBeGreaterThan(order.get(one) ?? 0);
        }
      };
      const take = () => {
        const batch = queue.take();
        expect(batch === null).toBe(inside.size === 0);
        check(batch ?? []);
        last = batch ?? [];
      };
      for (const step of list) {
        if (step.kind === "push") {
          // Time gives out in the order of coming, so an id names the moment too.
          const one = { ...waiting(`id-${step.id}`, `t${step.tenant}`, step.bytes), giveUpAtMs: order.size };
          order.set(one, order.size);
          inside.add(one);
          queue.push(one);
        }
        if (step.kind === "take") take();
        if (step.kind === "putBack") {
          queue.putBack(last);
          for (const one of last) inside.add(one);
          last = [];
        }
        if (step.kind === "expire") {
          const gone = queue.expire(step.below);
          expect(new Set(gone)).toEqual(new Set([...inside].filter(({ giveUpAtMs }) => giveUpAtMs <= step.below)));
          for (const one of gone) inside.delete(one);
        }
        expect(queue.records).toBe(inside.size);
        expect(queue.bytes).toBe([...inside].reduce((sum, one) => sum + one.bytes, 0));
      }
      while (inside.size > 0) take();
      expect(queue.take()).toBeNull();
      expect([queue.records, queue.bytes, queue.fill]).toEqual([0, 0, 0]);
    }),
  );
});
