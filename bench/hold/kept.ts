import type { BudgetDocument } from "../../services/engine/src/index.ts";
import { type Account, type AccountName, createBudgets } from "../../services/pdp/src/budgets/index.ts";
import { createBudgetFacts } from "../../services/pdp/src/decisions/budget-facts.ts";
import { prepareCoverings } from "../../services/pdp/src/decisions/covering-of.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { type Case, many } from "./catalogue.ts";
import { likeCompiling, type Pause, prepareWith, settle, turnOfTheLoop } from "./turns.ts";

const DAY_MS = 86_400_000;
const accountsMax = limits.budgetAccountsKeptMax;

/** Books of budgets over a store that opens whatever it is asked for. */
function kept() {
  const time = { nowMs: DAY_MS };
  const turn = { pause: turnOfTheLoop };
  let last = 0n;
  const open = (name: AccountName): Account => {
    const balance = { account: ++last, limit: 1_000_000n, held: 0n, posted: 0n, overage: 0n, frozen: false };
    const closesAtMs = time.nowMs + DAY_MS;
    return { ...name, id: last, unit: "calls", hard: true, opensAtMs: time.nowMs, closesAtMs, balance };
  };
  const store = {
    openAccounts: async (_tenant: string, names: readonly AccountName[]) => names.map(open),
    openAccountsThen: async () => [],
    balances: async () => [],
  };
  const [clock, uptime] = [{ now: () => time.nowMs }, { now: () => 1 }];
  return { time, turn, budgets: createBudgets({ store, clock, uptime, accountsMax, pause: () => turn.pause() }) };
}

const nameAt = (at: number) => ({ budget: `b${at % 64}`, key: `{"per":{"customer":"c-${at}"}}` });

/** Calls that each need as many accounts as they may. */
async function charge({ budgets, turn }: ReturnType<typeof kept>, from: number, count: number, pause: Pause) {
  turn.pause = pause;
  for (let at = from; at < from + count; at += limits.callAccountsMax) {
    const names = many(limits.callAccountsMax, (n) => nameAt(at + n));
    await budgets.accounts("t", names, 1_000);
    await turnOfTheLoop();
  }
}

const crowd = (name: string, work: (books: ReturnType<typeof kept>, pause: Pause) => unknown): Case => ({
  name: `accounts: ${accountsMax} are known, and ${name}`,
  make: () => {
    const books = kept();
    const prepare = async (pause: Pause) => {
      await charge(books, 0, accountsMax, pause);
      await settle(pause);
    };
    return likeCompiling(prepareWith(prepare, (pause) => work(books, pause)));
  },
});

const budgetAt = (at: number): BudgetDocument => ({
  ...{ apiVersion: "remit/v1", kind: "Budget", metadata: { name: `b${at}` } },
  spec: {
    ...{ unit: "calls", limit: "10", window: "day", owner: "tenant", enforcement: "hard" },
    per: ["principal", "input.customer.id"],
  },
});
const asker = {
  session: { id: "s", agent: "clerk", ancestors: [], principal: { id: "mia" } },
  caller: { id: "c", name: "c" },
} as never;
const ask = { tool: "pay", input: { value: { customer: { id: "x".repeat(300) } } }, context: { value: {} } } as never;

const facts = (name: string, budgets: ReadonlySet<string> | "every", times: number): Case => ({
  name: `facts: ${name}`,
  make: () => {
    const documents = many(limits.budgetsMax, budgetAt);
    const declared = new Map(documents.map((document) => [document.metadata.name, { document, digest: "" }]));
    const snapshot = { tenant: "t", budgets: declared, tools: new Map(), agents: new Map(), compiled: { budgets } };
    const { budgets: books, turn } = kept();
    const read = createBudgetFacts(books, () => turn.pause());
    const once = (pause: Pause) => {
      turn.pause = pause;
      return read(snapshot as never, asker, ask, 10_000);
    };
    const prepare = async (pause: Pause) => {
      await prepareCoverings(snapshot as never, pause);
      for (let time = 1; time < times; time++) await once(pause);
      await settle(pause);
    };
    return likeCompiling(prepareWith(prepare, once));
  },
});
const all = new Set(many(limits.budgetsMax, (at) => `b${at}`));

/** What is kept of accounts, and what policies are told of them, at the limits. */
export const keptAccounts: readonly Case[] = [
  crowd("others push out as many", (books, pause) => charge(books, accountsMax, accountsMax, pause)),
  crowd("their windows end together", (books, pause) => {
    books.time.nowMs += DAY_MS;
    return charge(books, 0, accountsMax, pause);
  }),
  facts("conditions name 10,000 budgets, of which nothing is known yet", all, 1),
  facts("conditions name 10,000 budgets, of which all is known", all, 2),
  facts("a policy in Rego may look at 10,000 budgets that cover a call", "every", 1),
];
