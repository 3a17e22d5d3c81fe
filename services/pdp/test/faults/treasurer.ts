import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { BudgetService } from "@remit/proto/admin";
import { eventually } from "../support/processes.ts";
import type { Addresses } from "./fleet.ts";
import { PURSES, type Purse } from "./purse.ts";
import { bearer } from "./told.ts";

/** What a fault may make of a request of an administrator. */
export const UNDER_FAULTS: readonly Code[] = [
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Aborted,
  Code.Unknown,
  Code.Internal,
];
const TIMEOUT_MS = 3_000;
const reason = "a trial";

/** Changes limits and freezes at any member, each until it is so, and remembers what was ever asked for. */
export function createTreasurer(options: {
  /** Members that nothing befalls. */
  readonly healthy: () => readonly Addresses[];
  readonly ownerKey: string;
  readonly random: () => number;
  readonly wrong: string[];
}) {
  const { healthy, ownerKey, random, wrong } = options;
  const by = bearer(ownerKey);
  const highest = new Map(PURSES.map(({ name, limit }) => [name, BigInt(limit) * 1_000_000n]));
  const limits = new Map(PURSES.map(({ name, limit }) => [name, limit]));
  const frozen = new Map<string, number>();
  const done = new Map<string, number>();
  const bump = (name: string) => done.set(name, (done.get(name) ?? 0) + 1);
  let freezes = 0;

  /** Asks one member after another until one has done it. */
  const until = async <Value>(what: string, ask: (budgets: ReturnType<typeof clientAt>) => Promise<Value>) => {
    for (;;) {
      await eventually(() => healthy().length > 0);
      const members = healthy();
      const member = members[Math.floor(random() * members.length)];
      if (!member) continue;
      try {
        return await ask(clientAt(member));
      } catch (error) {
        const failed = ConnectError.from(error);
        if (!UNDER_FAULTS.includes(failed.code)) {
          wrong.push(`${what}: ${failed.message}`);
          throw error;
        }
        bump(`again: ${Code[failed.code]}`);
      }
    }
  };

  /** Sets the limit of a budget, and answers when it is so. */
  const setLimit = async ({ name, unit }: Purse, limit: number): Promise<void> => {
    const most = BigInt(limit) * 1_000_000n;
    if (most > (highest.get(name) ?? 0n)) highest.set(name, most);
    await until(`the limit of ${name}`, async (budgets) => {
      const { budget } = await budgets.getBudget({ name }, by);
      const now = Number(budget?.limit?.value);
      if (now === limit) return;
      const change = { budget: name, limit: { unit, value: String(limit) }, reason };
      if (now < limit) await budgets.raiseBudget(change, by);
      else await budgets.lowerBudget(change, by);
    });
    bump(limit > (limits.get(name) ?? 0) ? "raised" : "lowered");
    limits.set(name, limit);
  };
  const freeze = async ({ name }: Purse): Promise<void> => {
    await until(`a freeze of ${name}`, (budgets) => budgets.freezeBudget({ budget: name, reason }, by));
    frozen.set(name, ++freezes);
    bump("frozen");
  };
  const thaw = async (name: string): Promise<void> => {
    frozen.delete(name);
    await until(`a thaw of ${name}`, (budgets) => budgets.unfreezeBudget({ budget: name, reason }, by));
    bump("thawed");
  };
  return {
    /** Asks one healthy member after another until one answers. */
    ask: until,
    ...{ highest, limits, frozen, done, setLimit, freeze, thaw },
    /** One account that froze because too much was spent at once. */
    thawAccount: (accountId: string) => {
      bump("account thawed");
      return until(`a thaw of account ${accountId}`, (budgets) => budgets.unfreezeBudget({ accountId, reason }, by));
    },
  };
}

export const clientAt = ({ adminAddress }: Addresses) =>
  createClient(
    BudgetService,
    createConnectTransport({
      ...{ baseUrl: `http://${adminAddress}`, httpVersion: "1.1", defaultTimeoutMs: TIMEOUT_MS },
    }),
  );
