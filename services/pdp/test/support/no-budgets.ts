import type { createCharging } from "../../src/decisions/index.ts";

/** For houses whose tenants have no budgets: no call owes anything. */
export const noBudgets: ReturnType<typeof createCharging> = {
  concerns: () => false,
  charge: () => undefined,
  storeAheadMs: () => 0,
  heard: () => {},
  short: () => undefined,
};
