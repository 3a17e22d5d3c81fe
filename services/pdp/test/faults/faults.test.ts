import { expect, test } from "vitest";
import { seeded } from "../ledger/scheduler.ts";
import { createTestDatabase } from "../support/test-database.ts";
import { rehearse } from "./rehearse.ts";
import { faultNames } from "./torment.ts";

const SEED = 20_261_121;

test("whatever befalls three replicas under load, every answer has its record, once, and nobody who was shut out answers", async () => {
  const database = await createTestDatabase();
  const random = seeded(SEED);
  // Each fault once, in the seed's order.
  const due = faultNames.map((fault) => ({ fault, at: random() })).sort((a, b) => a.at - b.at);
  const next = () => {
    const fault = due.shift()?.fault;
    return fault ? { fault, member: Math.floor(random() * 3) } : null;
  };
  const { runtimeUrl, superuserUrl } = database;
  const seen = await rehearse({ runtimeUrl, superuserUrl, random: seeded(SEED + 1), next });
  await database.drop();

  expect(seen.wrong).toEqual([]);
  expect([...seen.faults.keys()].sort()).toEqual([...faultNames].sort());
  // A rehearsal in which little happened proves little.
  expect(seen.calls).toBeGreaterThan(500);
  expect(seen.fenced).toBeGreaterThan(20);
  expect(seen.errors.get("UNAVAILABLE")).toBeGreaterThan(0);
  expect(seen.errors.get("INTERNAL")).toBeGreaterThan(0);
}, 180_000);
