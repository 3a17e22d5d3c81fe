import { expect, test } from "vitest";
import { seeded } from "../ledger/scheduler.ts";
import { createTestDatabase } from "../support/test-database.ts";
import { WAYS } from "./asked-of.ts";
import { BEFALLS, REVOKED, revokeUnderLoad } from "./revoke.ts";

const SEED = 20_261_121;

test("when a revocation is acknowledged nothing that is asked later is allowed, by no replica, paused and cut off ones included", async () => {
  const database = await createTestDatabase();
  const random = seeded(SEED);
  const due = REVOKED.map((kind, at) => ({ kind, befalls: BEFALLS[(at + 1) % BEFALLS.length] ?? "paused" }));
  const next = () => due.shift() ?? null;
  const seen = await revokeUnderLoad({ runtimeUrl: database.runtimeUrl, random, next });
  await database.drop();

  expect(seen.wrong).toEqual([]);
  expect([...seen.revoked.values()].reduce((sum, count) => sum + count)).toBe(REVOKED.length);
  // What was allowed before and refused later, in every way.
  for (const way of WAYS) {
    expect(seen.before.get(`${way}: allowed`), way).toBeGreaterThan(0);
    expect(seen.later.get(`${way}: refused`), way).toBeGreaterThan(0);
  }
  expect(seen.answered).toBeGreaterThan(50);
}, 180_000);
