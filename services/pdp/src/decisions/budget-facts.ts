import type { Facts } from "@remit/engine";
import { type Account, type Budgets, freeOf } from "../budgets/index.ts";
import { formatAmount } from "../foundation/amount.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import { coveredCall } from "./charging.ts";
import { coveringOf } from "./covering-of.ts";

type BudgetFacts = NonNullable<Facts["budget"]>;
/** Undefined where they read none. */
type Read = BudgetFacts | undefined;

/** What conditions read of budgets is no older than this. What is held is decided by the commit alone. */
const AGE_MS_MAX = 1_000;

const decimal = (micros: bigint) => formatAmount(micros < 0n ? 0n : micros);

type Knowing = Pick<Budgets, "accounts" | "known" | "fresh">;

function factsFrom(budgets: Knowing, accounts: readonly (Account | null)[]): BudgetFacts {
  const facts: Record<string, BudgetFacts[string]> = {};
  for (const account of accounts) {
    if (!account) continue;
    const { balance } = budgets.known(account.id)?.account ?? account;
    facts[account.budget] = {
      unit: account.unit,
      limit: formatAmount(balance.limit),
      spent: formatAmount(balance.posted + balance.overage),
      remaining: decimal(freeOf(balance)),
    };
  }
  return facts;
}

/**
 * What the policies in force read of budgets: of each that they name, the account that this call would be charged to. One
 * that is not declared is absent, and what asks for it is unknown. At once where all is known and young enough; else in
 * one trip, or two where an account has to be opened.
 */
export function createBudgetFacts(budgets: Knowing) {
  return (snapshot: Snapshot, asker: Asker, ask: Ask, withinMs: number): Read | Promise<Read> => {
    const { budgets: reads } = snapshot.compiled;
    if (snapshot.budgets.size === 0 || (reads !== "every" && reads.size === 0)) return undefined;
    const covering = coveringOf(snapshot);
    const call = coveredCall(snapshot, asker, ask, ask.input.value);
    const names =
      reads === "every" ? covering.of(call) : [...reads].flatMap((name) => covering.named(name, call) ?? []);
    const found = budgets.accounts(snapshot.tenant, names, withinMs);
    const finish = (accounts: readonly (Account | null)[]) => {
      const there = accounts.flatMap((account) => (account && !account.full ? [account] : []));
      const asking = budgets.fresh(snapshot.tenant, there, AGE_MS_MAX, withinMs);
      return asking ? asking.then(() => factsFrom(budgets, there)) : factsFrom(budgets, there);
    };
    return found instanceof Promise ? found.then(finish) : finish(found);
  };
}
