import { expect, test } from "vitest";
import { seeded } from "../ledger/scheduler.ts";
import { startRestartable } from "./restartable.ts";
import { changeTogether, type Mishap } from "./together.ts";

const SEED = 20_261_121;
const CHANGES = 30;

test("three replicas are as one through policies, revocations and halts, while one sleeps, is cut off, and Postgres restarts", async () => {
  await using postgres = await startRestartable({ durable: false });
  const random = seeded(SEED);
  const due: Mishap[] = ["its poll swallowed", "connections ended", "paused for a moment", "Postgres restarted"];
  const next = () => {
    const mishap = due.shift();
    return mishap ? { mishap, member: Math.floor(random() * 3) } : null;
  };
  const seen = await changeTogether({ postgres, random: seeded(SEED + 1), changes: CHANGES, next });

  expect(seen.wrong).toEqual([]);
  expect(seen.mishaps.size).toBe(4);
  // What changed little proves little.
  expect([...seen.changes.values()].reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(CHANGES);
  expect(seen.changes.size).toBeGreaterThan(5);
  expect(seen.checked).toBeGreaterThan(500);
  expect(seen.allowed).toBeGreaterThan(50);
  expect(seen.named).toBeGreaterThan(50);
  expect(seen.delegated).toBeGreaterThan(50);
}, 180_000);
