import type { Facts } from "@remit/engine";
import { type Account, type AccountName, type Budgets, freeOf } from "../budgets/index.ts";
import { formatAmount } from "../foundation/amount.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
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

/** Budgets that are looked up and told of in one turn of the event loop. */
const AT_ONCE_MAX = 128;

function* inParts<Item>(items: Iterable<Item>): Generator<Item[]> {
  let part: Item[] = [];
  for (const item of items) {
    part.push(item);
    if (part.length < AT_ONCE_MAX) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

/**
 * What the policies in force read of budgets: of each that they name, the account that this call would be charged to. One
 * that is not declared is absent, and what asks for it is unknown. At once where all is known and young enough; else in
 * one trip, or two where an account has to be opened. Of very many, part by part.
 *
 * Policies in other languages may look at any that cover the call. Where these are more than a call may be charged to it is
 * refused for that, whatever they say, and they are told of none. `pause` is awaited between the parts of very many: what is
 * learnt of accounts stays in use.
 */
export function createBudgetFacts(budgets: Knowing, pause: Pause = turnOfTheLoop) {
  const factsOf = (tenant: string, names: readonly AccountName[], withinMs: number) => {
    const found = budgets.accounts(tenant, names, withinMs);
    const finish = (accounts: readonly (Account | null)[]) => {
      const there = accounts.flatMap((account) => (account && !account.full ? [account] : []));
      const asking = budgets.fresh(tenant, there, AGE_MS_MAX, withinMs);
      return asking ? asking.then(() => factsFrom(budgets, there)) : factsFrom(budgets, there);
    };
    return found instanceof Promise ? found.then(finish) : finish(found);
  };
  const ofMany = async (
    tenant: string,
    reads: Iterable<string>,
    named: (name: string) => AccountName | undefined,
    withinMs: number,
  ) => {
    const untilMs = performance.now() + withinMs;
    const facts: Record<string, BudgetFacts[string]> = {};
    for (const part of inParts(reads)) {
      const names = part.flatMap((name) => named(name) ?? []);
      Object.assign(facts, await factsOf(tenant, names, Math.max(1, untilMs - performance.now())));
      await pause();
    }
    return facts;
  };
  return (snapshot: Snapshot, asker: Asker, ask: Ask, withinMs: number): Read | Promise<Read> => {
    const { budgets: reads } = snapshot.compiled;
    if (snapshot.budgets.size === 0 || (reads !== "every" && reads.size === 0)) return undefined;
    const covering = coveringOf(snapshot);
    const call = coveredCall(snapshot, asker, ask, ask.input.value);
    const named = (name: string) => covering.named(name, call);
    if (reads !== "every" && reads.size > AT_ONCE_MAX) return ofMany(snapshot.tenant, reads, named, withinMs);
    const { callAccountsMax } = limits;
    const names =
      reads === "every" ? covering.of(call, callAccountsMax) : [...reads].flatMap((name) => named(name) ?? []);
    return names.length > callAccountsMax ? undefined : factsOf(snapshot.tenant, names, withinMs);
  };
}
