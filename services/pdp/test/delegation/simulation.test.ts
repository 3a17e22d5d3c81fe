import { expect, test } from "vitest";
import type { Flaw } from "./house-in-memory.ts";
import { simulateDelegations } from "./simulate.ts";

const LIVES = 300;

test("whatever is delegated, narrowed, ended, revoked and let expire, no child does what an ancestor may not", () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= LIVES; seed++) {
    const simulated = simulateDelegations(seed);
    expect(simulated.violations, `seed ${seed}`).toEqual([]);
    for (const [what, times] of simulated.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  }
  // A simulation in which something hardly happened proves little about it.
  const least = { delegated: 1500, "delegation refused": 1500, "denied at depth 4": 400, "permitted at depth 0": 4000 };
  const deep = { "permitted at depth 1": 800, "permitted at depth 2": 200, "permitted at depth 3": 40 };
  for (const [what, times] of Object.entries({
    ...least,
    ...deep,
    narrow: 1000,
    end: 1000,
    revoke: 1000,
    later: 1000,
  })) {
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

test.each(flaws)("a house is caught in which %s", (flaw) => {
  let found = false;
  for (let seed = 1; seed <= LIVES && !found; seed++) found = simulateDelegations(seed, flaw).violations.length > 0;
  expect(found).toBe(true);
});
