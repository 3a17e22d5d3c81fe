import type { Budgets } from "../budgets/index.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Told } from "./ask.ts";
import { seriesOf } from "./budget-fixed.ts";
import type { ReportedOn } from "./decision.ts";
import { isOfSession } from "./given-accounts.ts";
import type { HeldAmount, SparedAmount } from "./holding.ts";

/** What a report says of units in which nothing was held. */
export interface Unheld {
  /** The accounts that are charged with it, of which nothing is held: what covered the call when it was decided. */
  readonly accounts: readonly HeldAmount[];
  /** Units in which it cost something that no budget counts: none covered the call in them, or none of those is declared. */
  readonly unsettled: readonly string[];
}

const CALLS = "calls";
const NOTHING: Unheld = { accounts: [], unsettled: [] };

/** Whether a budget is not declared any more, although another one may be under its name by now. */
function isGone({ budgets }: Snapshot, { budget, series }: SparedAmount): boolean {
  const declared = budgets.get(budget);
  return declared !== undefined && series !== undefined && seriesOf(declared.document) !== series;
}

/** As an account that nothing is held of. */
const chargedBy = ({ budget, key, unit }: SparedAmount, account: string): HeldAmount => ({
  ...{ budget, account, unit, amount: "0" },
  ...(key !== undefined && { key }),
});

const ofSession = (one: SparedAmount): HeldAmount[] => (one.account === undefined ? [] : [chargedBy(one, one.account)]);

/**
 * What a report is settled by beside what was held for its call. What its entry says of the budgets that covered it is
 * enough, with the books of the window that it was decided in: those are opened now, so that a call whose tool costs nothing
 * opens and locks none. At once, and nothing, for almost every report.
 */
export function createUnheld({ accountsThen }: Pick<Budgets, "accountsThen">) {
  return (snapshot: Snapshot, told: Told, decision: ReportedOn, storeAheadMs: number): Unheld | Promise<Unheld> => {
    const { holds, would_hold: watched = [], covered_by: spared = [], at } = decision.body;
    if (told.actual.length === 0 || (told.outcome !== "succeeded" && told.outcome !== "failed")) return NOTHING;
    const held = new Set([...holds, ...watched].map(({ unit }) => unit));
    const said = told.actual.filter(({ unit, micros }) => micros > 0n && unit !== CALLS && !held.has(unit));
    if (said.length === 0) return NOTHING;
    const units = new Set(said.map(({ unit }) => unit));
    const covers = spared.filter((one) => units.has(one.unit) && !isGone(snapshot, one));
    const settledBy = (accounts: readonly HeldAmount[]): Unheld => {
      for (const { unit } of accounts) units.delete(unit);
      return { accounts, unsettled: [...units] };
    };
    const budgets = covers.filter(({ budget }) => !isOfSession(budget));
    if (budgets.length === 0) return settledBy(covers.flatMap(ofSession));
    const names = budgets.map(({ budget, key = "" }) => ({ budget, key }));
    return accountsThen(snapshot.tenant, names, Date.parse(at) + storeAheadMs).then((found) => {
      const opened = found.values();
      const accounts = covers.flatMap((one) => {
        if (isOfSession(one.budget)) return ofSession(one);
        const account = opened.next().value;
        // One that was declared anew at this moment, of another unit, is none of this either.
        return account && account.unit === one.unit ? [chargedBy(one, String(account.id))] : [];
      });
      return settledBy(accounts);
    });
  };
}
