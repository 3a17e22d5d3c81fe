import { overageRoomOf, takeRoomOf } from "../../src/foundation/balance.ts";
import type { Balance, Move, NewRecord, Short } from "../../src/ledger/index.ts";
import type { AccountRow, Place, StoreState } from "./store-model.ts";

/* Which records of a batch the model's accounts let in, and why not the others: a part of `store-model.ts`. */

/** The limit that binds an account now; undefined where its budget is declared no more. */
export function limitOf({ budgets, rules }: StoreState, account: AccountRow): bigint | undefined {
  if (rules.limits === "as_they_were") return account.ceiling;
  return account.ownLimit ?? budgets.get(`${account.tenant}/${account.budget}`)?.limit;
}

const isFrozen = ({ budgets }: StoreState, account: AccountRow): boolean =>
  account.frozen || (budgets.get(`${account.tenant}/${account.budget}`)?.frozen ?? false);

export function balanceOf(state: StoreState, account: AccountRow): Balance {
  const { id, held, posted, overage, alarm } = account;
  const amounts = { limit: limitOf(state, account) ?? 0n, held, posted, overage };
  return { account: id, ...amounts, frozen: isFrozen(state, account), ...(alarm !== undefined && { alarm }) };
}

export const freeOf = ({ limit, held, posted, overage }: Balance): bigint => limit - held - posted - overage;

/** What is free before the account is over its alarm, or what is free at all where that is less. */
export function usualFreeOf(balance: Balance): bigint {
  const { limit, alarm = limit } = balance;
  return freeOf({ ...balance, limit: alarm < limit ? alarm : limit });
}

/** Whether a record asks an account to let it in: what only gives back or posts is let in whatever stands there. */
function asks({ charge }: NewRecord, { held }: Move): boolean {
  const step = charge?.hold?.step;
  return (step === "take" || step === "adopt") && held >= 0n;
}

/** What stands in the way of a move whatever else is in the batch. */
function barred(state: StoreState, record: NewRecord, move: Move, place: Place): Short["why"] | undefined {
  const account = state.accounts.get(move.account);
  if (!account || account.tenant !== record.tenant) return "closed";
  if (place.locked?.has(move.account)) return "locked";
  if (!asks(record, move)) return undefined;
  const isCurrent = account.opensAtMs <= place.nowMs && place.nowMs < account.closesAtMs;
  if (limitOf(state, account) === undefined) return "closed";
  if (!isCurrent && state.rules.windows === "store_time") return "closed";
  return isFrozen(state, account) && state.rules.freezes === "asked" ? "frozen" : undefined;
}

/** What is free before the alarm, too. `seen`: what was when the statement came. */
function usualFree({ rules }: StoreState, balance: Balance, seen: bigint | undefined): bigint {
  if (rules.alarms === "not_asked") return freeOf(balance);
  if (rules.alarms === "asked" || balance.alarm === undefined || seen === undefined) return usualFreeOf(balance);
  const free = freeOf(balance);
  return free < seen ? free : seen;
}

/** What is free for a taking before the batch. */
function freeBefore(state: StoreState, account: AccountRow, { seen }: Place): bigint {
  const balance = balanceOf(state, account);
  const now = usualFree(state, balance, seen?.get(account.id));
  const spent = state.rules.free === "with_overage" ? account.overage : 0n;
  return spent + (state.rules.admission === "read_then_write" ? (seen?.get(account.id) ?? now) : now);
}

/** The accounts of a record that take no more of what it spent beyond its holds. `sums`: what its batch brought before it. */
function brimming(state: StoreState, { charge }: NewRecord, sums: Map<bigint, bigint>) {
  if (state.rules.full === "not_asked") return [];
  return (charge?.moves ?? []).flatMap((move) => {
    const account = state.accounts.get(move.account);
    if (!account || move.overage <= 0n) return [];
    const room = overageRoomOf(account);
    const before = sums.get(account.id) ?? 0n;
    if (move.overage <= room) sums.set(account.id, before + move.overage);
    return before + move.overage > room ? [{ move, why: "full" as const }] : [];
  });
}

/** Lets in what fits, in the batch's order; answers of the others which accounts they were too much for. */
export function admit(state: StoreState, batch: readonly NewRecord[], place: Place) {
  const sums = new Map<bigint, bigint>();
  const overages = new Map<bigint, bigint>();
  const short = new Map<NewRecord, { readonly move: Move; readonly why: Short["why"] | "too_much" }[]>();
  const open: NewRecord[] = [];
  for (const record of batch) {
    const bars = (record.charge?.moves ?? []).flatMap((move) => {
      const why = barred(state, record, move, place);
      return why ? [{ move, why }] : [];
    });
    if (bars.length > 0) short.set(record, bars);
    else open.push(record);
  }
  const admitted = open.filter((record) => {
    const over = (record.charge?.moves ?? []).flatMap((move) => {
      const account = state.accounts.get(move.account);
      if (!account || !asks(record, move) || move.held <= 0n) return [];
      const isBound = account.hard || state.rules.full === "asked";
      const free = account.hard ? freeBefore(state, account, place) : takeRoomOf(account);
      if (!isBound) return [];
      const before = state.rules.sums === "each_alone" ? 0n : (sums.get(account.id) ?? 0n);
      // What would not fit alone counts for nobody.
      const counts = move.held <= free || state.rules.sums === "running_with_what_never_fits";
      if (counts) sums.set(account.id, before + move.held);
      return before + move.held > free ? [{ move, why: account.hard ? ("too_much" as const) : ("full" as const) }] : [];
    });
    over.push(...brimming(state, record, overages));
    if (over.length > 0) short.set(record, over);
    return over.length === 0;
  });
  return { admitted, short };
}

/** Why an account had no room for a move, after the batch. */
export function whyShort(why: Short["why"] | "too_much", balance: Balance | undefined, move: Move): Short["why"] {
  if (why === "too_much") return whyTooMuch(balance, move);
  return why === "full" ? whyFull(balance, move) : why;
}

function whyTooMuch(balance: Balance | undefined, { held }: Move): Short["why"] {
  if (balance && held > freeOf(balance)) return "exhausted";
  return balance && held > usualFreeOf(balance) ? "unusual" : "crowded";
}

function whyFull(balance: Balance | undefined, { held, overage }: Move): Short["why"] {
  if (!balance) return "crowded";
  return held > takeRoomOf(balance) || overage > overageRoomOf(balance) ? "full" : "crowded";
}
