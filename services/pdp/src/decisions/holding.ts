import { type Account, adoptionMoves, type Due, holdMoves, releaseMoves, type UnitPart } from "../budgets/index.ts";
import { formatAmount, parseAmount } from "../foundation/amount.ts";
import { msOf } from "../foundation/clock.ts";
import type { Charge, HoldStep } from "../ledger/index.ts";
import { approvalEndsMs } from "./attempt.ts";
import type { DecisionBody } from "./decision.ts";

/** What a decision holds of one account, as its entry says it. The narrowest account comes first. */
export interface HeldAmount {
  readonly budget: string;
  /** Canonical JSON of the values that the account is kept for; absent where its budget has a single one. */
  readonly key?: string;
  /** The account's number. */
  readonly account: string;
  readonly unit: string;
  /** A decimal. */
  readonly amount: string;
}

/** A hold that another decision has: an attempt that waited for people. */
export interface PendingHold {
  /** Its id: of the decision that took it first. */
  readonly hold: string;
  /** The decision that has it now. */
  readonly decision: string;
  readonly parts: readonly UnitPart[];
}

/** What a decision does to budgets. */
export interface Holding {
  /** What it owes, and where; empty when nothing is held for it. */
  readonly owed: readonly (Due & { readonly account: Account })[];
  /** What the attempt before it held: it is taken over, or given back. */
  readonly before: PendingHold | undefined;
  /** Nothing is held for a call that is only watched: what it costs is posted when it is reported. */
  readonly watched: boolean;
  /** How far the clock that holds run out by is ahead of the decision's. */
  readonly storeAheadMs: number;
  /** What covers it in units in which nothing is held, because its tool says that it costs nothing in them. */
  readonly spared?: readonly SparedAccount[];
}

/** What is charged for a call if it turns out to have cost something all the same. */
export interface SparedAccount extends Pick<Due, "budget" | "key" | "unit"> {
  /** Of what a session was given: its books have no windows. */
  readonly account?: bigint;
  /** Of a budget: which of those that were ever declared under its name. */
  readonly series?: string;
}

/** The same as the entry of a decision says it. */
export interface SparedAmount extends Pick<HeldAmount, "budget" | "key" | "unit"> {
  readonly account?: string;
  readonly series?: string;
}

/** What the entry of a decision says of what it holds. */
export type HoldingSaid = Pick<DecisionBody, "holds" | "hold" | "would_hold" | "covered_by">;

const NOTHING_HELD: HoldingSaid = { holds: [] };

export function partsOf(held: readonly HeldAmount[]): UnitPart[] {
  return held.map(({ account, unit, amount }) => ({
    ...{ account: BigInt(account), unit },
    amount: parseAmount(unit, amount, "holds").micros,
  }));
}

/** The hold that a decision left for the next attempt of its call. */
export function pendingHold({ id, effect, hold, holds }: DecisionBody): PendingHold | undefined {
  return effect === "escalate" && hold !== undefined ? { hold, decision: id, parts: partsOf(holds) } : undefined;
}

const saySpared = ({ budget, key, unit, account, series }: SparedAccount): SparedAmount => ({
  ...{ budget, unit },
  ...(key !== "" && { key }),
  ...(account !== undefined && { account: String(account) }),
  ...(series !== undefined && { series }),
});

/** `id` is the decision's. */
export function sayHolding(id: string, holding: Holding | undefined): HoldingSaid {
  if (!holding) return NOTHING_HELD;
  const spared = holding.spared && { covered_by: holding.spared.map(saySpared) };
  if (holding.owed.length === 0) return spared ? { ...NOTHING_HELD, ...spared } : NOTHING_HELD;
  const amounts = holding.owed.map(({ budget, key, account, unit, micros }): HeldAmount => {
    const held = { budget, account: String(account.id), unit, amount: formatAmount(micros) };
    return key === "" ? held : { ...held, key };
  });
  if (holding.watched) return { holds: [], would_hold: amounts, ...spared };
  return { holds: amounts, hold: holding.before?.hold ?? id, ...spared };
}

/** What the record of a decision does to budgets: undefined when nothing. */
export function chargeOf(holding: Holding | undefined, body: DecisionBody): Charge | undefined {
  if (!holding) return undefined;
  const { owed, before, watched, storeAheadMs } = holding;
  const parts = owed.map(({ account, micros }) => ({ account: account.id, amount: micros }));
  if (watched || parts.length === 0) {
    if (!before) return undefined;
    const { hold, decision } = before;
    return { moves: releaseMoves(before.parts), hold: { step: "end", hold, decision } };
  }
  const pending = body.effect === "escalate";
  const endsMs = pending ? approvalEndsMs(body) : body.report_by && msOf(body.report_by);
  const term = { pending, expiresAtMs: (endsMs || msOf(body.at)) + storeAheadMs };
  if (!before) return { moves: holdMoves(parts), hold: { step: "take", ...term } };
  const adopt: HoldStep = { step: "adopt", hold: before.hold, decision: before.decision, ...term };
  return { moves: adoptionMoves(before.parts, parts), hold: adopt };
}
