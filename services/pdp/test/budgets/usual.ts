import { spendingAlarm } from "../../src/behaviour/index.ts";
import { USUAL } from "./product.ts";
import type { AccountRow, StoreState } from "./store-model.ts";

/** What an agent spent in windows before the schedule began, in sixths of its limit: its alarm is a little below the limit. */
const SIXTHS_BEFORE = [3n, 4n, 6n];

/** An account that is watched begins with what was spent in the windows before it, and with its alarm. */
export function watchFrom({ accounts, budgets }: StoreState, row: AccountRow): void {
  const { tenant, budget, key, opensAtMs } = row;
  const limit = budgets.get(`${tenant}/${budget}`)?.limit ?? 0n;
  const before = [...accounts.values()]
    .filter((one) => one.budget === budget && one.key === key && one.closesAtMs <= opensAtMs)
    .sort((a, b) => b.opensAtMs - a.opensAtMs)
    .map(({ held, posted, overage }) => held + posted + overage);
  row.history = [...before.filter((spent) => spent > 0n), ...SIXTHS_BEFORE.map((part) => (limit * part) / 6n)];
  const usual = spendingAlarm(row.history, USUAL);
  if (usual) row.alarm = usual.alarm;
}
