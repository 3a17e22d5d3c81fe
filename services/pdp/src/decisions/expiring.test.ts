import { expect, test } from "vitest";
import { createExpiring } from "./expiring.ts";

const holdAt = (at: number, accounts: number) => ({
  ...{ id: `h${at}`, tenant: "t", decision: `d${at}`, session: "s", sessionDay: "2026-11-21", pending: false },
  expiresAtMs: 1,
  parts: Array.from({ length: accounts }, (_, n) => ({ account: BigInt(n), unit: "usd", amount: 1n, hard: true })),
});

function sweep(accountsOf: readonly number[], fails: (at: number) => boolean = () => false) {
  const recorded: number[] = [];
  const ended = new Set<string>();
  let turns = 0;
  let expired = 0;
  const turning = { on: true };
  const turn = () => {
    turns++;
    if (turning.on) setImmediate(turn);
  };
  const expire = createExpiring({
    store: {
      overdueHolds: async (most) => {
        const all = accountsOf.map((count, at) => holdAt(at, count));
        return all.filter(({ id }) => !ended.has(id)).slice(0, most) as never;
      },
    },
    ledger: {
      record: async ({ charge }) => {
        const at = recorded.push(turns) - 1;
        if (fails(at)) throw new Error(`record ${at}`);
        if (charge?.hold && "hold" in charge.hold) ended.add(charge.hold.hold);
        return { outcome: "inserted" } as never;
      },
    },
    charging: { heard: () => undefined },
    ...{ clock: { now: () => 2 }, newId: () => "id", onExpired: () => void expired++ },
  });
  turn();
  const done = expire().finally(() => {
    turning.on = false;
  });
  return { done, recorded, expired: () => expired };
}

test("holds of many accounts that run out together are ended some in a turn", async () => {
  const { done, recorded, expired } = sweep(Array.from({ length: 40 }, () => 128));
  expect(await done).toBe(40);
  expect(expired()).toBe(40);
  expect(new Set(recorded).size).toBeGreaterThanOrEqual(5);
});

test("one that cannot be ended keeps none of the others, and is told", async () => {
  const { done, expired } = sweep(
    Array.from({ length: 40 }, () => 128),
    (at) => at === 3,
  );
  await expect(done).rejects.toThrow("record 3");
  expect(expired()).toBe(39);
});

test("a few hundred are ended in one go, some at a time, although one of them cannot be", async () => {
  const { done, expired } = sweep(
    Array.from({ length: 400 }, () => 1),
    (at) => at === 3,
  );
  await expect(done).rejects.toThrow("record 3");
  expect(expired()).toBe(255);
});
