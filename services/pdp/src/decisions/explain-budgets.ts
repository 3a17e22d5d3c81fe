import { type Account, type BudgetLook, type Cover, duesOf, freeOf, type Priced, refuses } from "../budgets/index.ts";
import type { JsonObject } from "../foundation/canonical.ts";
import { limits } from "../foundation/limits.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import { coversOf, wouldRefuse } from "./charging.ts";
import type { DecisionCode } from "./codes.ts";
import type { Finding, Judged } from "./finding.ts";
import { type GivenAccounts, givenAccounts } from "./given-accounts.ts";
import type { Holding } from "./holding.ts";
import { pricedCall } from "./pricing.ts";
import {
  codeOfShort,
  coveredByMany,
  keepsNoMore,
  refusedFor,
  type Shortage,
  shortageOf,
  unchargeable,
  watchedFor,
} from "./shortage.ts";
import { spendingAmong } from "./spending-stop.ts";

/** An account that a call would be charged to, as it is. Amounts in millionths. */
export interface ExplainedAccount extends Omit<Cover, "hard"> {
  /** Its number below 0: it is not open yet. */
  readonly account: Account;
  /** Undefined: nobody says what the call costs in its unit. */
  readonly needed: bigint | undefined;
  /** What would be left of it, below 0 by what is missing. */
  readonly freeAfter: bigint;
  /** Why it would refuse the call. */
  readonly refuses: DecisionCode | undefined;
}

/** A verdict as its budgets leave it, and what would be held. */
export interface ExplainedHolding {
  readonly verdict: Finding;
  readonly accounts: readonly ExplainedAccount[];
}

interface Rooms {
  readonly look: BudgetLook;
}

/** What a chain was given, as it stands. */
async function givenNow({ balances }: BudgetLook, tenant: string, given: GivenAccounts): Promise<Map<bigint, Account>> {
  const accounts = given.covers.flatMap((cover) => given.of(cover) ?? []);
  const ids = accounts.map(({ id }) => id);
  const now = new Map((await balances(tenant, ids)).map((balance) => [balance.account, balance]));
  return new Map(accounts.map((one) => [one.id, { ...one, balance: now.get(one.id) ?? one.balance }]));
}

/** The accounts of covers, in their order; without those whose budgets are not declared any more. */
async function accountsOf(
  look: BudgetLook,
  tenant: string,
  covers: readonly Cover[],
  given: GivenAccounts | undefined,
) {
  const own = given && (await givenNow(look, tenant, given));
  const ofBudgets = covers.filter((cover) => !given?.of(cover));
  const found = (ofBudgets.length === 0 ? [] : await look.lookAt(tenant, ofBudgets)).values();
  return covers.flatMap((cover) => {
    const given_ = given?.of(cover);
    const account = given_ ? own?.get(given_.id) : found.next().value;
    return account ? [{ cover, account }] : [];
  });
}

function explained(cover: Cover, account: Account, { amounts }: Priced): ExplainedAccount {
  const { balance, hard } = account;
  const needed = amounts.find(({ unit }) => unit === cover.unit)?.micros;
  const short = needed === undefined ? undefined : refuses({ ...balance, hard }, needed);
  const unknown = needed === undefined && hard ? "estimate_missing" : undefined;
  return {
    ...{ budget: cover.budget, key: cover.key, unit: cover.unit, account, needed },
    freeAfter: freeOf(balance) - (needed ?? 0n),
    refuses: account.full ? "account_limit" : short ? codeOfShort(short) : unknown,
  };
}

/** Why the call would be denied, with what the accounts hold now. */
function shortageNow(snapshot: Snapshot, accounts: readonly ExplainedAccount[], nowMs: number): Shortage | undefined {
  const full = accounts.find(({ account }) => account.full);
  if (full) return keepsNoMore(full);
  const owed: Holding["owed"] = accounts.map(({ budget, key, unit, needed = 0n, account }) => ({
    ...{ budget, key, unit, micros: needed, account, hard: account.hard },
  }));
  const shorts = wouldRefuse(owed);
  if (shorts.length === 0) return undefined;
  const holding: Holding = { owed, before: undefined, watched: false, storeAheadMs: 0 };
  const { shorts: known, stop } = spendingAmong(snapshot, owed, shorts);
  return shortageOf(holding, known, nowMs, true, stop && { ...stop, observed: false, opened: false });
}

/**
 * What a call that its policies let run would hold, of which accounts, and what of them would refuse it. Nothing is held and
 * no account is opened: what is read may be another a moment later, and only a commit decides.
 */
export function createExplainBudgets({ look }: Rooms) {
  return async (
    snapshot: Snapshot,
    asker: Asker,
    ask: Ask,
    judged: Judged,
    nowMs: number,
  ): Promise<ExplainedHolding> => {
    const { verdict } = judged;
    if (verdict.effect === "deny" || verdict.effect === "clarify") return { verdict, accounts: [] };
    const input = (verdict.transformedInput as JsonObject | undefined) ?? ask.input.value;
    const given = givenAccounts(asker.session);
    const priced = pricedCall(snapshot, ask, input);
    const all = coversOf(snapshot, asker, ask, input, given);
    const refused = (shortage: Shortage) =>
      verdict.mode === "observed" ? watchedFor(shortage, verdict) : refusedFor(shortage, verdict);
    if (all.length > limits.callAccountsMax) return { verdict: refused(coveredByMany(all)), accounts: [] };
    const covers = all.filter(
      ({ unit }) => !priced.nothingElse || priced.amounts.some((amount) => amount.unit === unit),
    );
    const found = await accountsOf(look, snapshot.tenant, covers, given);
    const accounts = found.map(({ cover, account }) => explained(cover, account, priced));
    const owing = duesOf(covers, priced, snapshot.settings.unbudgeted);
    const shortage = "dues" in owing ? shortageNow(snapshot, accounts, nowMs) : unchargeable(owing);
    return { verdict: shortage ? refused(shortage) : verdict, accounts };
  };
}
