import { HoldEnd } from "@remit/proto/admin";
import { withClient } from "../support/test-database.ts";
import type { Probe } from "./isolation-table.ts";
import { type Neighbours, nothing, THEIRS } from "./neighbours.ts";

const NO_ACCOUNT = "999999999999";

/** The number of the others' account, which was opened for them where their budget is. */
function theirAccount({ theirs }: Neighbours): Promise<string> {
  return withClient(theirs.house.database.superuserUrl, async (client) => {
    const { rows } = await client.query<{ id: string }>("select id::text from account where tenant = $1 order by id", [
      THEIRS,
    ]);
    return rows[0]?.id ?? "";
  });
}

const named = { theirs: `${THEIRS}_budget`, nobodys: "no_budget" };
const reason = "tried";
const limit = { unit: "EUR", value: "1" };

/** A request about an account, tried with the number of theirs. */
const ofAccount = (all: Neighbours, ask: (accountId: string) => Promise<unknown>): Probe => ({
  ...{ theirs: "theirs", nobodys: "nobodys" },
  alike: async (asked) => {
    const accountId = asked === "theirs" ? await theirAccount(all) : NO_ACCOUNT;
    return ask(accountId);
  },
});

/** `BudgetService` but for its documents: see `isolation-table.ts`. */
export const budgetRows: Readonly<Record<string, (all: Neighbours) => Probe[]>> = {
  "remit.v1.BudgetService/GetBudget": ({ ours: { house, headers } }) => [
    { ...named, alike: (name) => house.clients.budgets.getBudget({ name }, { headers }) },
  ],
  "remit.v1.BudgetService/ListAccounts": ({ ours: { house, headers }, theirs }) => [
    { ...named, alike: (budget) => house.clients.budgets.listAccounts({ budget }, { headers }) },
    {
      ...{ theirs: theirs.sessionId, nobodys: nothing() },
      alike: (sessionId) => house.clients.budgets.listAccounts({ sessionId }, { headers }),
    },
    { ours: () => house.clients.budgets.listAccounts({}, { headers }) },
  ],
  ...Object.fromEntries(
    (["raiseBudget", "lowerBudget"] as const).map((rpc) => [
      `remit.v1.BudgetService/${rpc.charAt(0).toUpperCase()}${rpc.slice(1)}`,
      (all: Neighbours): Probe[] => {
        const { house, headers } = all.ours;
        return [
          { ...named, alike: (budget) => house.clients.budgets[rpc]({ budget, limit, reason }, { headers }) },
          ofAccount(all, (accountId) => house.clients.budgets[rpc]({ accountId, limit, reason }, { headers })),
        ];
      },
    ]),
  ),
  ...Object.fromEntries(
    (["freezeBudget", "unfreezeBudget"] as const).map((rpc) => [
      `remit.v1.BudgetService/${rpc.charAt(0).toUpperCase()}${rpc.slice(1)}`,
      (all: Neighbours): Probe[] => {
        const { house, headers } = all.ours;
        return [
          { ...named, alike: (budget) => house.clients.budgets[rpc]({ budget, reason }, { headers }) },
          ofAccount(all, (accountId) => house.clients.budgets[rpc]({ accountId, reason }, { headers })),
        ];
      },
    ]),
  ),
  "remit.v1.BudgetService/ListHolds": ({ ours: { house, headers }, theirs }) => [
    { ...named, alike: (budget) => house.clients.budgets.listHolds({ budget }, { headers }) },
    {
      ...{ theirs: theirs.sessionId, nobodys: nothing() },
      alike: (sessionId) => house.clients.budgets.listHolds({ sessionId }, { headers }),
    },
    { ours: () => house.clients.budgets.listHolds({}, { headers }) },
    { ours: () => house.clients.budgets.listHolds({ pageToken: theirs.holdId }, { headers }) },
  ],
  "remit.v1.BudgetService/ResolveHold": ({ ours: { house, headers }, theirs }) => [
    {
      ...{ theirs: theirs.holdId, nobodys: nothing() },
      alike: (holdId) => house.clients.budgets.resolveHold({ holdId, as: HoldEnd.SPENT, reason }, { headers }),
    },
  ],
  "remit.v1.BudgetService/VerifyBudgets": ({ ours: { house, headers } }) => [
    { ours: () => house.clients.budgets.verifyBudgets({}, { headers }) },
  ],
};
