import { expect, test } from "vitest";
import { type KeepingRules, keepingRules, simulateKeeping } from "./simulate.ts";

const SCHEDULES = 600;

test("whoever is known under a revision is known with everything that was taken away up to it, in whatever order", async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const simulated = await simulateKeeping(seed, keepingRules);
    expect(simulated.violations, `seed ${seed}`).toEqual([]);
    for (const [what, times] of simulated.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  }
  // A simulation in which something never happened proves nothing about it.
  expect([...seen.keys()].sort()).toEqual([
    "changed otherwise",
    "known under an older one",
    "known under the newest",
    "poll with changes",
    "poll without",
    "read",
    "revoked",
  ]);
  const asks = (seen.get("known under the newest") ?? 0) + (seen.get("known under an older one") ?? 0);
  // Each ask needs two rows. Most are kept, and are as new as can be.
  expect(seen.get("read")).toBeLessThan(asks);
  expect(seen.get("known under the newest")).toBeGreaterThan(asks / 2);
});

const wrongRules: readonly Partial<KeepingRules>[] = [
  { lists: "read before the revision" },
  { overlap: "what began after the poll before" },
  { onTheWay: "forgotten" },
  { revision: "of the moment it is used" },
  { order: "raised, then told" },
  { above: "not told" },
  { first: "clears nothing" },
];

test.each(wrongRules.map((wrong) => [JSON.stringify(wrong), wrong] as const))(
  "the simulation catches %s",
  async (_, wrong) => {
    let caught = false;
    for (let seed = 1; seed <= SCHEDULES && !caught; seed++) {
      caught = (await simulateKeeping(seed, { ...keepingRules, ...wrong })).violations.length > 0;
    }
    expect(caught).toBe(true);
  },
);
