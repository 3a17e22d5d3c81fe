import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type FreezeBudgetRequest,
  type FreezeBudgetResponse,
  FreezeBudgetResponseSchema,
  type GetBudgetRequest,
  type GetBudgetResponse,
  GetBudgetResponseSchema,
  type ListAccountsRequest,
  type ListAccountsResponse,
  ListAccountsResponseSchema,
  type ListBudgetsRequest,
  type ListBudgetsResponse,
  ListBudgetsResponseSchema,
  type LowerBudgetRequest,
  type LowerBudgetResponse,
  LowerBudgetResponseSchema,
  type RaiseBudgetRequest,
  type RaiseBudgetResponse,
  RaiseBudgetResponseSchema,
  type UnfreezeBudgetRequest,
  type UnfreezeBudgetResponse,
  UnfreezeBudgetResponseSchema,
} from "@remit/proto/admin";
import { type AccountQuery, type LimitSet, unknownBudget } from "../../decisions/index.ts";
import { formatAmount } from "../../foundation/amount.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import type { Caller } from "../../identities/index.ts";
import type { Unary } from "../call.ts";
import {
  accountToWire,
  budgetToWire,
  freezeToWire,
  limitFrom,
  placeFrom,
  placeToken,
  reasonFrom,
  targetFrom,
} from "../convert/budget.ts";
import { storedName, storedText, uuidField } from "../convert/fields.ts";
import type { AdminDesk } from "./desk.ts";
import { documentPage } from "./pages.ts";

/** What of `BudgetService` is about balances and limits. */
export interface BudgetRpcs {
  readonly listBudgets: Unary<ListBudgetsRequest, ListBudgetsResponse>;
  readonly getBudget: Unary<GetBudgetRequest, GetBudgetResponse>;
  readonly listAccounts: Unary<ListAccountsRequest, ListAccountsResponse>;
  readonly raiseBudget: Unary<RaiseBudgetRequest, RaiseBudgetResponse>;
  readonly lowerBudget: Unary<LowerBudgetRequest, LowerBudgetResponse>;
  readonly freezeBudget: Unary<FreezeBudgetRequest, FreezeBudgetResponse>;
  readonly unfreezeBudget: Unary<UnfreezeBudgetRequest, UnfreezeBudgetResponse>;
}

const BASIS_POINTS_MAX = 1_000_000;

const shownBefore = ({ unit, before }: LimitSet) => ({ unit, value: formatAmount(before) });

/** One page of a list, and where the next begins. */
async function accountsPage(desk: AdminDesk, by: Caller, query: Omit<AccountQuery, "most">, pageSize: number) {
  const most = Math.min(pageSize || limits.accountsListedMax, limits.accountsListedMax);
  // One more, to see whether there is another page.
  const found = await desk.budgetBooks.accounts(by, { ...query, most: most + 1 });
  const nowMs = desk.storeTime.now();
  const page = found.slice(0, most);
  const last = found.length > most ? page.at(-1) : undefined;
  return {
    accounts: page.map((one) => accountToWire(one, nowMs)),
    nextPageToken: last ? placeToken(last.place) : "",
  };
}

const everyAccount = { session: undefined, keyPrefix: "", usedMin: 0 };

function reading(desk: AdminDesk): Pick<BudgetRpcs, "listBudgets" | "getBudget" | "listAccounts"> {
  return {
    async listBudgets(request, call) {
      const { tenant } = desk.caller(call);
      const nowMs = desk.storeTime.now();
      const { items: budgets, nextPageToken } = await documentPage(desk, tenant, "budget", request, {
        held: (snapshot) => snapshot.budgets,
        with: async (names) =>
          new Map((await desk.budgetStandings.standings(tenant, names)).map((one) => [one.budget, one])),
        toWire: ({ document }, standing) => budgetToWire(document, standing?.get(document.metadata.name), nowMs),
      });
      return create(ListBudgetsResponseSchema, { budgets, nextPageToken });
    },
    async getBudget({ name, pageSize, pageToken }, call) {
      const by = desk.caller(call);
      const budget = storedName(name, "name", limits.nameBytesMax);
      const declared = (await desk.snapshots.current(by.tenant)).budgets.get(budget);
      const standing = await desk.budgetStandings.standing(by.tenant, budget);
      if (!declared || !standing) throw unknownBudget("name");
      const page = await accountsPage(desk, by, { ...everyAccount, budget, after: placeFrom(pageToken) }, pageSize);
      return create(GetBudgetResponseSchema, {
        budget: budgetToWire(declared.document, standing, desk.storeTime.now()),
        ...page,
      });
    },
    async listAccounts({ budget, keyPrefix, usedBasisPointsMin, pageSize, pageToken, sessionId }, call) {
      const by = desk.caller(call);
      if (usedBasisPointsMin > BASIS_POINTS_MAX) {
        throw invalid("used_basis_points_min", "that much of no limit is used", {
          limit: `${BASIS_POINTS_MAX} hundredths of a percent`,
        });
      }
      const query = {
        budget: budget === "" ? undefined : storedName(budget, "budget", limits.nameBytesMax),
        session: sessionId === "" ? undefined : uuidField(sessionId, "session_id"),
        keyPrefix: storedText(keyPrefix, "key_prefix", limits.nameBytesMax),
        usedMin: usedBasisPointsMin,
        after: placeFrom(pageToken),
      };
      return create(ListAccountsResponseSchema, await accountsPage(desk, by, query, pageSize));
    },
  };
}

function limiting({ caller, budgetBooks }: AdminDesk): Pick<BudgetRpcs, "raiseBudget" | "lowerBudget"> {
  return {
    async raiseBudget(request, call) {
      const by = caller(call);
      const set = await budgetBooks.setLimit(by, targetFrom(request), limitFrom(request, "raise"));
      return create(RaiseBudgetResponseSchema, {
        ...(set.account && { account: accountToWire(set.account, set.atMs) }),
        ...{ before: shownBefore(set), revision: set.revision },
      });
    },
    async lowerBudget(request, call) {
      const by = caller(call);
      const set = await budgetBooks.setLimit(by, targetFrom(request), limitFrom(request, "lower"));
      const { over, atMs } = set;
      const refuses = over.accounts.some(({ hard }) => hard);
      return create(LowerBudgetResponseSchema, {
        ...(set.account && { account: accountToWire(set.account, atMs) }),
        ...{ before: shownBefore(set), revision: set.revision, accountsOver: BigInt(over.count) },
        over: over.accounts.map((one) => accountToWire(one, atMs)),
        ...(refuses && { refusedSince: timestampFromMs(atMs) }),
      });
    },
  };
}

/** Reads, limits and freezes of `BudgetService`. */
export function budgetRpcs(desk: AdminDesk): BudgetRpcs {
  const { caller, budgetBooks } = desk;
  return {
    ...reading(desk),
    ...limiting(desk),
    async freezeBudget(request, call) {
      const by = caller(call);
      const done = await budgetBooks.freeze(by, targetFrom(request), reasonFrom(request.reason));
      const freeze = freezeToWire(done.freeze);
      return create(FreezeBudgetResponseSchema, {
        ...(freeze && { freeze }),
        ...{ frozen: done.frozen, revision: done.revision },
      });
    },
    async unfreezeBudget(request, call) {
      const by = caller(call);
      const done = await budgetBooks.unfreeze(by, targetFrom(request), reasonFrom(request.reason));
      const freeze = freezeToWire(done.freeze);
      return create(UnfreezeBudgetResponseSchema, {
        ...(freeze && { freeze }),
        ...{ unfrozen: done.unfrozen, revision: done.revision },
      });
    },
  };
}
