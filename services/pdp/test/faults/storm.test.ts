import { expect, test } from "vitest";
import { insertTenant } from "../ledger/postgres.ts";
import { seeded } from "../ledger/scheduler.ts";
import { createTestDatabase } from "../support/test-database.ts";
import { storm } from "./storm.ts";

test("a hundred fences in the middle of statements: no late record, no lost answer, no gap, no split answer", async () => {
  const database = await createTestDatabase();
  await insertTenant(database);
  const { runtimeUrl, superuserUrl } = database;
  const seen = await storm({ runtimeUrl, superuserUrl, random: seeded(11), fences: 120 });
  expect(seen.wrong).toEqual([]);
  expect(seen.replicasEnded).toBeGreaterThan(0);
  expect(seen.writers).toBeGreaterThan(60);
  expect(seen.answered).toBeGreaterThan(1_000);
  await database.drop();
});
