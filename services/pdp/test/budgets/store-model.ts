import type { Balance, Charge, HoldStep, Move, NewRecord, Short } from "../../src/ledger/index.ts";
import { admit, balanceOf, limitOf, whyShort } from "./store-admission.ts";
import { type StoreRules, storeRules } from "./store-rules.ts";

/*
 * The commit of a batch that charges budgets, as one function over plain maps: no clock, no dice, nothing to wait for.
 * Two things rest on it. The simulation in this folder plays it under everything that can befall a store; and the
 * property test of the SQL plays the same random budgets, accounts, limits and batches on this and on a real Postgres,
 * and compares after every step what was inserted, what was left out and why, the balances, and the open holds
 * (`declare`, `openAccount`, `commit`, `balanceOf`, `overdue`; times are arguments on both sides). So what the simulation
 * proves of the model holds of the statement.
 */

export { balanceOf, freeOf, usualFreeOf } from "./store-admission.ts";

/** What is declared: every account of it goes by the limit that stands here now. */
export interface BudgetRow {
  readonly tenant: string;
  readonly name: string;
  limit: bigint;
  frozen: boolean;
}

/** A budget's books for one key and one window. */
export interface AccountRow {
  readonly id: bigint;
  readonly tenant: string;
  /** Null: an account of its own, with its own limit. */
  readonly budget: string | null;
  readonly key: string;
  readonly unit: string;
  readonly hard: boolean;
  readonly opensAtMs: number;
  /** Infinity: never. */
  readonly closesAtMs: number;
  ownLimit: bigint | null;
  ceiling: bigint;
  held: bigint;
  posted: bigint;
  overage: bigint;
  frozen: boolean;
  /** The most that may be spent and held before it is out of the ordinary; absent: nothing is. */
  alarm?: bigint;
  /** Of the windows before it, the newest first. */
  history?: readonly bigint[];
}

/** An open hold: its row is gone once something ended it. */
export interface HoldRow {
  readonly id: string;
  readonly tenant: string;
  readonly session: string;
  readonly sessionDay: string;
  decision: string;
  /** What it holds, by account. */
  amounts: ReadonlyMap<bigint, bigint>;
  pending: boolean;
  expiresAtMs: number;
}

export interface RecordRow {
  readonly record: NewRecord;
  readonly epoch: bigint;
  readonly n: bigint;
  readonly atMs: number;
}

export interface StoreState {
  readonly rules: StoreRules;
  /** By `tenant/name`. */
  readonly budgets: Map<string, BudgetRow>;
  readonly accounts: Map<bigint, AccountRow>;
  readonly holds: Map<string, HoldRow>;
  readonly records: Map<string, RecordRow>;
  /** Ids of records by `keyOf`. */
  readonly calls: Map<string, string>;
  /** By tenant. */
  readonly security: Map<string, bigint>;
}

export function emptyStore(rules: StoreRules = storeRules): StoreState {
  return {
    ...{ rules, budgets: new Map(), accounts: new Map(), holds: new Map() },
    ...{ records: new Map(), calls: new Map(), security: new Map() },
  };
}

/** Why a record of a batch was not inserted. `taken`: its key was, by whom is looked up. */
export type LeftOut =
  | { readonly why: "stale" | "gone" | "taken" }
  | { readonly why: "short"; readonly shorts: readonly Short[] };

export type Committed =
  | {
      readonly failed?: undefined;
      /** With their numbers. */
      readonly inserted: ReadonlyMap<string, bigint>;
      readonly left: ReadonlyMap<string, LeftOut>;
      /** Of every account that the batch named, after it. */
      readonly balances: ReadonlyMap<bigint, Balance>;
    }
  /** An account broke its CHECK: nothing of the batch was done. */
  | { readonly failed: string };

/** Where a batch is committed. */
export interface Place {
  readonly epoch: bigint;
  /** The greatest number that this writer gave. */
  readonly base: bigint;
  readonly nowMs: number;
  /** Accounts that something else holds for too long. */
  readonly locked?: ReadonlySet<bigint>;
  /** What was free when the statement came, for a store that does not look again. */
  readonly seen?: ReadonlyMap<bigint, bigint>;
}

export const keyOf = ({
  tenant,
  session,
  sessionDay,
  key,
}: Pick<NewRecord, "tenant" | "session" | "sessionDay" | "key">) =>
  `${sessionDay}/${tenant}/${session}/${Buffer.from(key).toString("latin1")}`;

const holdOf = ({ hold }: Charge): Exclude<HoldStep, { readonly step: "take" }> | undefined =>
  hold && hold.step !== "take" ? hold : undefined;

/** Whether a hold is there, with the decision that is to have it, and over where it must be. */
function isWhereItShould(
  { holds, rules }: StoreState,
  { tenant }: NewRecord,
  step: NonNullable<ReturnType<typeof holdOf>>,
  nowMs: number,
): boolean {
  const row = holds.get(step.hold);
  if (!row) return rules.holds === "not_whether_there" || rules.holds === "not_asked";
  const isWhose = row.decision === step.decision || rules.holds === "not_whose" || rules.holds === "not_asked";
  const isTime = step.step !== "end" || !step.overdue || row.expiresAtMs <= nowMs || rules.overdue === "not_asked";
  return row.tenant === tenant && isWhose && isTime;
}

/** Of those whose hold is where it should be, the first of the batch a hold. */
function withTheirHolds(
  state: StoreState,
  fresh: readonly NewRecord[],
  nowMs: number,
  left: Map<string, LeftOut>,
): NewRecord[] {
  const taken = new Set<string>();
  return fresh.filter((record) => {
    const step = record.charge && holdOf(record.charge);
    if (!step) return true;
    const isFirst = !taken.has(step.hold);
    const isThere = isWhereItShould(state, record, step, nowMs);
    if (isThere) taken.add(step.hold);
    if (isThere && (isFirst || state.rules.batchHolds === "any")) return true;
    // Whether the one before it is inserted is not known yet: it is to be recorded again.
    const account = record.charge?.moves[0]?.account ?? 0n;
    const again = { why: "short", shorts: [{ account, why: "crowded" }] } as const;
    left.set(record.id, isThere ? again : { why: "gone" });
    return false;
  });
}

/** The accounts as the moves of these records leave them; or the name of the CHECK that one of them breaks. */
function moved(state: StoreState, records: readonly NewRecord[]): Map<bigint, AccountRow> | string {
  const after = new Map<bigint, AccountRow>();
  for (const { charge } of records) {
    for (const move of charge?.moves ?? []) {
      const before = after.get(move.account) ?? state.accounts.get(move.account);
      if (!before) continue;
      after.set(move.account, {
        ...before,
        held: before.held + move.held,
        posted: before.posted + move.posted,
        overage: before.overage + move.overage,
      });
    }
  }
  for (const account of after.values()) {
    const { held, posted, overage, hard } = account;
    const lowest = hard && account.ceiling < held + posted ? account.ceiling : held + posted;
    const limit = limitOf(state, account) ?? 0n;
    account.ceiling = limit > lowest ? limit : lowest;
    if (state.rules.check === "none") continue;
    if (held < 0n || posted < 0n || overage < 0n) return `account ${account.id} is below 0`;
    const sum = state.rules.check === "overage_too" ? held + posted + overage : held + posted;
    if (hard && sum > account.ceiling) return `account ${account.id} is above its ceiling`;
  }
  return after;
}

/** The amounts of a hold after the moves of a record. */
function amountsAfter(before: ReadonlyMap<bigint, bigint>, moves: readonly Move[]): ReadonlyMap<bigint, bigint> {
  const after = new Map(before);
  for (const { account, held } of moves) after.set(account, (after.get(account) ?? 0n) + held);
  for (const [account, held] of after) if (held === 0n) after.delete(account);
  return after;
}

function stepHold(state: StoreState, { id, tenant, session, sessionDay, charge }: NewRecord): void {
  const step = charge?.hold;
  if (!step) return;
  if (step.step === "take") {
    const { pending, expiresAtMs } = step;
    const amounts = amountsAfter(new Map(), charge.moves);
    state.holds.set(id, { id, tenant, session, sessionDay, decision: id, amounts, pending, expiresAtMs });
    return;
  }
  if (step.step === "end") {
    state.holds.delete(step.hold);
    return;
  }
  const row = state.holds.get(step.hold);
  if (!row) return;
  row.expiresAtMs = step.expiresAtMs;
  if (step.step === "extend") return;
  row.decision = id;
  row.pending = step.pending;
  row.amounts = amountsAfter(row.amounts, charge.moves);
}

/** Commits a batch whose ids are distinct, and changes the state by it. */
export function commit(state: StoreState, batch: readonly NewRecord[], place: Place): Committed {
  const left = new Map<string, LeftOut>();
  const fresh = batch.filter(({ id, tenant, securityRevision }) => {
    const isFresh = state.rules.revisions === "not_asked" || securityRevision >= (state.security.get(tenant) ?? 0n);
    if (!isFresh) left.set(id, { why: "stale" });
    return isFresh;
  });
  const { admitted, short } = admit(state, withTheirHolds(state, fresh, place.nowMs, left), place);

  const keys = new Set<string>();
  const won = admitted.filter((record) => {
    const key = keyOf(record);
    const isFree = !state.calls.has(key) && !keys.has(key);
    if (isFree) keys.add(key);
    else left.set(record.id, { why: "taken" });
    return isFree;
  });
  const after = moved(state, state.rules.moves === "of_inserted" ? won : admitted);
  if (typeof after === "string") return { failed: after };

  const inserted = new Map<string, bigint>();
  for (const record of won) {
    const n = place.base + BigInt(inserted.size) + 1n;
    inserted.set(record.id, n);
    state.calls.set(keyOf(record), record.id);
    state.records.set(record.id, { record, epoch: place.epoch, n, atMs: place.nowMs });
  }
  for (const [id, account] of after) state.accounts.set(id, account);
  for (const { charge } of won) {
    const frozen = charge?.freezes === undefined ? undefined : state.accounts.get(charge.freezes);
    if (frozen) frozen.frozen = true;
  }
  for (const record of state.rules.holdRows === "of_inserted" ? won : admitted) stepHold(state, record);

  const balances = new Map<bigint, Balance>();
  for (const { charge } of batch) {
    for (const { account } of charge?.moves ?? []) {
      const row = state.accounts.get(account);
      if (row) balances.set(account, balanceOf(state, row));
    }
  }
  for (const [record, over] of short) {
    const shorts = over.map(({ move, why }): Short => {
      const balance = balances.get(move.account);
      return { account: move.account, why: whyShort(why, balance, move), ...(balance && { balance }) };
    });
    left.set(record.id, { why: "short", shorts });
  }
  return { inserted, left, balances };
}

/** Opens an account: once a budget, key and window. */
export function openAccount(
  state: StoreState,
  opening: Pick<AccountRow, "tenant" | "budget" | "key" | "unit" | "hard" | "opensAtMs" | "closesAtMs" | "ownLimit">,
): AccountRow {
  const { tenant, budget, key, opensAtMs } = opening;
  for (const row of state.accounts.values()) {
    if (row.tenant === tenant && row.budget === budget && row.key === key && row.opensAtMs === opensAtMs) return row;
  }
  const id = BigInt(state.accounts.size + 1);
  const row: AccountRow = { ...opening, id, ceiling: 0n, held: 0n, posted: 0n, overage: 0n, frozen: false };
  row.ceiling = opening.ownLimit ?? state.budgets.get(`${tenant}/${budget}`)?.limit ?? 0n;
  state.accounts.set(id, row);
  return row;
}

/** Gives an account a limit of its own. Its ceiling falls to a lower one as money comes back. */
export function setOwnLimit(account: AccountRow, limit: bigint): void {
  const { held, posted, hard, ceiling } = account;
  const lowest = hard && ceiling < held + posted ? ceiling : held + posted;
  account.ownLimit = limit;
  account.ceiling = limit > lowest ? limit : lowest;
}

/** Open holds whose time is over, the oldest first. */
export function overdue(state: StoreState, nowMs: number, limit: number): HoldRow[] {
  const over = [...state.holds.values()].filter(({ expiresAtMs }) => expiresAtMs <= nowMs);
  return over.sort((a, b) => a.expiresAtMs - b.expiresAtMs || (a.id < b.id ? -1 : 1)).slice(0, limit);
}
