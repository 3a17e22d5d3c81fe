import type { Account, Cover } from "../budgets/index.ts";
import type { Link, Session } from "../identities/index.ts";

type Chain = Pick<Session, "id" | "given" | "ancestors">;

/** What the sessions of a chain were given when they were delegated: each covers every call below it. */
export interface GivenAccounts {
  /** The asking session's own first, the root's last. */
  readonly covers: readonly Cover[];
  /** The account of what is owed; undefined where it is a budget's. */
  of(due: Pick<Cover, "budget" | "unit">): Account | undefined;
}

const OF_SESSION = "session:";

/** How entries and messages name what a session was given. */
const nameOf = (session: string) => `${OF_SESSION}${session}`;

/** Whether a name is not of a budget but of what a session was given. */
export function isOfSession(budget: string): boolean {
  return budget.startsWith(OF_SESSION);
}

function accountOf(session: string, { account, unit, limit }: NonNullable<Link["given"]>[number]): Account {
  return {
    ...{ budget: nameOf(session), key: "", id: account, unit, hard: true },
    ...{ opensAtMs: Number.NEGATIVE_INFINITY, closesAtMs: Number.POSITIVE_INFINITY },
    // What is left of it only the commit knows.
    balance: { account, limit, held: 0n, posted: 0n, overage: 0n, frozen: false },
  };
}

/** The accounts of a chain; undefined where nobody in it was given any. */
export function givenAccounts({ id, given, ancestors }: Chain): GivenAccounts | undefined {
  if (!given && !ancestors.some((link) => link.given)) return undefined;
  const chain: readonly Pick<Link, "id" | "given">[] = [{ id, given }, ...ancestors.toReversed()];
  const accounts = chain.flatMap((link) => (link.given ?? []).map((one) => accountOf(link.id, one)));
  return {
    covers: accounts.map(({ budget, key, unit, hard }) => ({ budget, key, unit, hard })),
    of: ({ budget, unit }) => accounts.find((account) => account.budget === budget && account.unit === unit),
  };
}
