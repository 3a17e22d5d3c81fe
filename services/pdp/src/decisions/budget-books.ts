import { formatAmount } from "../foundation/amount.ts";
import { assert } from "../foundation/assert.ts";
import type { Clock } from "../foundation/clock.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { Caller } from "../identities/index.ts";
import type { Snapshots } from "../policies/index.ts";
import type { AccountBooks, AccountQuery, BudgetBooksStore, Freeze, PlacedAccount } from "./budget-books-store.ts";
import type { BudgetTarget } from "./budget-change.ts";
import { declaredLimit, movesLimit, type WantedLimit, withLimit } from "./budget-limits.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";

/** A limit that was set. */
export interface LimitSet {
  /** The account, or of a whole budget the fullest, as it stands now. */
  readonly account: AccountBooks | undefined;
  readonly unit: string;
  readonly before: bigint;
  readonly revision: bigint;
  /** What is over its limit now. */
  readonly over: { readonly count: number; readonly accounts: readonly AccountBooks[] };
  readonly atMs: number;
}

/** What operators see of budgets and do about them. Everything is as of the store's books at that moment. */
export interface BudgetBooks {
  accounts(by: Caller, query: AccountQuery): Promise<readonly PlacedAccount[]>;
  setLimit(by: Caller, target: BudgetTarget, wanted: WantedLimit): Promise<LimitSet>;
  /** Idempotent: what is frozen already is answered as it is. */
  freeze(
    by: Caller,
    target: BudgetTarget,
    reason: string,
  ): Promise<{ readonly freeze: Freeze | undefined; readonly frozen: boolean; readonly revision: bigint }>;
  /** Idempotent, too. */
  unfreeze(
    by: Caller,
    target: BudgetTarget,
    reason: string,
  ): Promise<{ readonly freeze: Freeze | undefined; readonly unfrozen: boolean; readonly revision: bigint }>;
}

export function unknownBudget(field: string): Fault {
  return new Fault("missing", "budget_unknown", "no budget of that name is declared", {
    field,
    fix: "list them: remit budgets list",
  });
}

function unknownAccount(): Fault {
  return new Fault("missing", "account_unknown", "there is no such account whose window is open", {
    field: "account_id",
    fix: "list them: remit budgets accounts",
  });
}

function raced(): Fault {
  return new Fault("aborted", "revision_conflict", "somebody else changed it at this moment", {
    fix: "look at it, and ask again",
  });
}

interface Rooms {
  readonly booksStore: BudgetBooksStore;
  readonly change: MakeChange;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
}

/** What `unfreeze` and `freeze` find. */
async function freezeOf(store: BudgetBooksStore, tenant: string, target: BudgetTarget): Promise<Freeze | undefined> {
  if ("account" in target) {
    const account = await store.account(tenant, target.account);
    if (!account) throw unknownAccount();
    return account.freeze;
  }
  const standing = await store.standing(tenant, target.budget);
  if (!standing) throw unknownBudget("budget");
  return standing.freeze;
}

type Applied = Awaited<ReturnType<MakeChange>>;

function revisionAfter(applied: Applied): bigint {
  if (!applied.ok) throw raced();
  return revisionNumber(applied.value.revisions);
}

function limitSetting({ booksStore: store, change, snapshots, clock }: Rooms): BudgetBooks["setLimit"] {
  const ofBudget = async (by: Caller, name: string, { limit, ...rest }: WantedLimit) => {
    assert(typeof limit === "object", "a whole budget has a limit");
    const wanted = { ...rest, limit };
    const now = await snapshots.refresh(by.tenant);
    const held = now.budgets.get(name);
    if (!held) throw unknownBudget("budget");
    const declared = declaredLimit(held.document);
    const answer = { unit: declared.unit, before: declared.micros };
    if (!movesLimit(wanted, declared)) return { ...answer, revision: revisionNumber(now.revisions) };
    const was = { before: formatAmount(declared.micros), was: held.digest };
    const next = withLimit(held, wanted.limit.micros);
    const applied = await change(by, { kind: "budget_limit_set", ...next, ...was, by: by.id, reason: wanted.reason });
    return { ...answer, revision: revisionAfter(applied) };
  };
  /** The limit that an account would have without its own. */
  const withoutOwn = async (by: Caller, { budget, unit }: AccountBooks) => {
    const now = await snapshots.refresh(by.tenant);
    const declared = budget === undefined ? undefined : now.budgets.get(budget)?.document;
    if (declared) return declaredLimit(declared);
    throw invalid("clear_own", "this account is of a delegation: its own limit is all that it has", {
      fix: `send a limit in ${unit}`,
    });
  };
  const ofAccount = async (by: Caller, id: bigint, { limit, ...rest }: WantedLimit) => {
    const found = await store.account(by.tenant, id);
    if (!found) throw unknownAccount();
    const answer = { unit: found.unit, before: found.limit };
    const clears = limit === "budget's";
    const wanted = { ...rest, limit: clears ? await withoutOwn(by, found) : limit };
    const moves = movesLimit(wanted, { unit: found.unit, micros: found.limit });
    // An own limit that is the budget's is one all the same: it would not follow that.
    if (clears ? found.ownLimit === null : !moves) {
      return { ...answer, revision: revisionNumber((await snapshots.current(by.tenant)).revisions) };
    }
    const { micros } = wanted.limit;
    const said = {
      before: formatAmount(found.limit),
      limit: formatAmount(micros),
      limitMicros: clears ? null : micros,
    };
    const set = { account: id, ...said, ownMicros: found.ownLimit, by: by.id, reason: wanted.reason };
    return { ...answer, revision: revisionAfter(await change(by, { kind: "account_limit_set", ...set })) };
  };
  return async (by, target, wanted) => {
    const done =
      "budget" in target ? await ofBudget(by, target.budget, wanted) : await ofAccount(by, target.account, wanted);
    const atMs = clock.now();
    const [account, over] = await Promise.all([
      "budget" in target
        ? store.standing(by.tenant, target.budget).then((standing) => standing?.fullest)
        : store.account(by.tenant, target.account).then((found) => found ?? undefined),
      store.over(by.tenant, target, limits.accountsListedMax),
    ]);
    return { ...done, account, over, atMs };
  };
}

export function createBudgetBooks(rooms: Rooms): BudgetBooks {
  const { booksStore: store, change, snapshots } = rooms;
  const revision = async (tenant: string) => revisionNumber((await snapshots.current(tenant)).revisions);
  return {
    async accounts(by, query) {
      const { budget } = query;
      if (budget !== undefined && !(await store.standing(by.tenant, budget))) throw unknownBudget("budget");
      return store.accounts(by.tenant, query);
    },
    setLimit: limitSetting(rooms),
    async freeze(by, target, reason) {
      const before = await freezeOf(store, by.tenant, target);
      if (before) return { freeze: before, frozen: false, revision: await revision(by.tenant) };
      const after = revisionAfter(await change(by, { kind: "budget_frozen", target, by: by.id, reason }));
      return { freeze: await freezeOf(store, by.tenant, target), frozen: true, revision: after };
    },
    async unfreeze(by, target, reason) {
      const before = await freezeOf(store, by.tenant, target);
      if (!before) return { freeze: undefined, unfrozen: false, revision: await revision(by.tenant) };
      const after = revisionAfter(await change(by, { kind: "budget_unfrozen", target, by: by.id, reason }));
      return { freeze: before, unfrozen: true, revision: after };
    },
  };
}
