import { expect, test } from "vitest";
import { FLAWS, simulate } from "./simulate.ts";

const SCHEDULES = 150;
const STEPS = 60;

test("two replicas that are restarted, lose commits and take turns answer as whoever reads the whole ledger", async () => {
  for (let seed = 1; seed <= SCHEDULES; seed++) expect([seed, await simulate(seed, STEPS)]).toEqual([seed, undefined]);
});

test.each(FLAWS)("it is found out when %s", async (flaw) => {
  let found: number | undefined;
  for (let seed = 1; seed <= SCHEDULES && found === undefined; seed++) {
    if ((await simulate(seed, STEPS, flaw)) !== undefined) found = seed;
  }
  expect(found).toBeDefined();
});
