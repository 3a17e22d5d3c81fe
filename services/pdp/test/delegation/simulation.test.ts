import { expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { startHouse } from "../support/pdp.ts";
import { houseByRpc } from "./house-by-rpc.ts";
import { createHouse, type Flaw } from "./house-in-memory.ts";
import { simulateDelegations } from "./simulate.ts";

const START_MS = Date.parse("2026-03-01T09:00:00Z");
const LIVES = 300;

test("whatever is delegated, narrowed, ended, revoked and let expire, no child does what an ancestor may not", async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= LIVES; seed++) {
    const simulated = await simulateDelegations(seed, (state) => createHouse(state));
    expect(simulated.violations, `seed ${seed}`).toEqual([]);
    for (const [what, times] of simulated.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  }
  // A simulation in which something hardly happened proves little about it.
  const least = { delegated: 1500, "delegation refused": 1500, "denied at depth 4": 400, "permitted at depth 0": 4000 };
  const deep = { "permitted at depth 1": 800, "permitted at depth 2": 200, "permitted at depth 3": 40 };
  const often = { narrow: 600, end: 600, revoke: 600, later: 600 };
  for (const [what, times] of Object.entries({ ...least, ...deep, ...often })) {
    expect(seen.get(what) ?? 0, what).toBeGreaterThan(times);
  }
});

const flaws: readonly Flaw[] = [
  "only the direct parent is looked at",
  "scopes and ceilings are looked at when a session is made, and no more",
  "one link that permits is enough",
  "the ceilings of agents in the middle are forgotten",
  "a child does not end with its parent",
  "a chain that is remembered is not told of ends",
  "the ceiling of a principal binds the root alone",
  "a chain may be as long as it was when it was made",
];

test.each(flaws)("a house is caught in which %s", async (flaw) => {
  let found = false;
  for (let seed = 1; seed <= LIVES && !found; seed++) {
    const { violations } = await simulateDelegations(seed, (state) => createHouse(state, flaw));
    found = violations.length > 0;
  }
  expect(found).toBe(true);
});

test.each([7, 81])("it is so over the doors of a service too: life %i", async (seed) => {
  const clock = settableClock(START_MS);
  const house = await startHouse({ clock });
  try {
    const { violations, seen } = await simulateDelegations(
      seed,
      (state) => houseByRpc(house, state, clock),
      START_MS,
      40,
    );
    expect(violations).toEqual([]);
    const below = [...seen].filter(([what]) => /^permitted at depth [1-8]$/.test(what));
    expect(below.reduce((sum, [, times]) => sum + times, 0)).toBeGreaterThan(5);
    expect(seen.get("delegated") ?? 0).toBeGreaterThan(2);
  } finally {
    await house.close();
  }
});
