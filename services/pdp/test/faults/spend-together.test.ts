import { expect, test } from "vitest";
import { seeded } from "../ledger/scheduler.ts";
import type { Plague } from "./plagues.ts";
import { startRestartable } from "./restartable.ts";
import { startSmallDisk } from "./small-disk.ts";
import { spendTogether } from "./spend-together.ts";

const SEED = 20_261_121;
const DISK_MIB = 300;

test("callers share budgets while answers are lost, connections end, a backend is killed, windows turn, a replica sleeps and the disk is full: the books balance to the last unit", async () => {
  const disk = await startSmallDisk(DISK_MIB);
  const isSmall = !("impossible" in disk);
  if (!isSmall) console.warn(`a full disk is left out, Postgres is restarted instead: ${disk.impossible}`);
  await using postgres = isSmall ? disk : await startRestartable({ durable: true });
  const due: Plague[] = [
    ...(["answers lost", "connections ended", "a backend killed", "windows turned"] as const),
    "paused until shut out",
  ];
  const plagues: Plague[] = [...due, isSmall ? "disk full" : "Postgres restarted"];
  const random = seeded(SEED);
  const left = [...plagues];
  const next = () => {
    const plague = left.shift();
    return plague ? { plague, member: Math.floor(random() * 3) } : null;
  };
  const seen = await spendTogether({ postgres, random: seeded(SEED + 1), next });

  expect(seen.wrong).toEqual([]);
  expect([...seen.plagues.keys()]).toEqual(plagues);
  // Where little was spent little is proven.
  expect(seen.allowed).toBeGreaterThan(200);
  expect(seen.expired).toBeGreaterThan(20);
  expect(seen.corrected).toBeGreaterThan(5);
  expect(seen.samples).toBeGreaterThan(10);
  expect(seen.denials.get("budget_exhausted")).toBeGreaterThan(0);
  expect(seen.done.get("asked on")).toBeGreaterThan(20);
  expect(seen.done.get("raised")).toBeGreaterThan(0);
  expect(seen.done.get("holds that outlived their window")).toBeGreaterThan(0);
  expect(seen.done.get("times that the books were verified")).toBe(plagues.length);
}, 240_000);
