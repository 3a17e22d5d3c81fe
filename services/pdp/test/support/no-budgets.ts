import type { createCharging, createExplainBudgets } from "../../src/decisions/index.ts";

/** For houses whose tenants have no budgets: no call owes anything. */
export const noBudgets: ReturnType<typeof createCharging> = {
  concerns: () => false,
  charge: () => undefined,
  storeAheadMs: () => 0,
  heard: () => {},
  recorded: () => {},
  unheld: () => ({ accounts: [], unsettled: [] }),
  short: () => undefined,
};

/** The same of who only explains. */
export const explainNoBudgets: ReturnType<typeof createExplainBudgets> = async (_now, _asker, _ask, { verdict }) => ({
  ...{ verdict, accounts: [] },
});
