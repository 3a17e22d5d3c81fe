import type { Account, Budgets } from "../budgets/index.ts";

/** What is said of a call that is only watched goes by balances no older than this. */
const AGE_MS_MAX = 1_000;

/**
 * Accounts as they stand, for a call that is only watched: it asks no commit, and what this replica last heard of them may be
 * long ago, or nothing where a session was given them. Undefined: what is known here is young enough.
 */
export function standingNow(
  budgets: Pick<Budgets, "known" | "fresh" | "balances">,
  tenant: string,
  accounts: readonly (Account | null)[],
  withinMs: number,
): Promise<readonly (Account | null)[]> | undefined {
  const there = accounts.flatMap((account) => (account && !account.full ? [account] : []));
  const isKnown = ({ id }: Account) => budgets.known(id) !== undefined;
  const unknown = there.filter((account) => !isKnown(account)).map(({ id }) => id);
  const fresh = budgets.fresh(tenant, there.filter(isKnown), AGE_MS_MAX, withinMs);
  if (!fresh && unknown.length === 0) return undefined;
  const asked = unknown.length === 0 ? [] : budgets.balances(tenant, unknown, withinMs);
  return Promise.all([asked, fresh]).then(([balances]) => {
    const now = new Map(balances.map((balance) => [balance.account, balance]));
    return accounts.map((account) => {
      const balance = account && (now.get(account.id) ?? budgets.known(account.id)?.account.balance);
      return balance ? { ...account, balance } : account;
    });
  });
}
