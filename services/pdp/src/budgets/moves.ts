import type { Amount } from "../foundation/amount.ts";
import type { HeldPart, Move } from "./account.ts";
import { exactMicros } from "./books.ts";

/**
 * What records do to accounts. Everything here follows from what was recorded before, never from what an account holds at
 * the moment: so moves commute, and an account is the sum of the moves of all its records.
 */

/** What a hold has of an account of a unit. */
export interface UnitPart extends HeldPart {
  readonly unit: string;
}

const NONE = { held: 0n, posted: 0n, overage: 0n };
const isMove = ({ held, posted, overage }: Move) => held !== 0n || posted !== 0n || overage !== 0n;
const amountOf = ({ amount }: HeldPart) => exactMicros(amount, "a hold");

/** What a call cost in a unit, in millionths; what was not said is what was held. */
function actualOf({ unit, ...part }: UnitPart, actual: readonly Amount[]): bigint {
  const said = actual.find((amount) => amount.unit === unit);
  return said ? exactMicros(said.micros, `what was spent of ${unit}`) : amountOf(part);
}

/** A hold is taken. A zero moves nothing, and its account is named all the same: whether it is open is asked of it too. */
export function holdMoves(parts: readonly HeldPart[]): Move[] {
  return parts.map((part) => ({ ...NONE, account: part.account, held: amountOf(part) }));
}

/** A hold is given back whole. */
export function releaseMoves(parts: readonly HeldPart[]): Move[] {
  return parts.map((part) => ({ ...NONE, account: part.account, held: -amountOf(part) })).filter(isMove);
}

/** Another decision takes a hold over, with more or less of it, of these accounts or others. */
export function adoptionMoves(before: readonly HeldPart[], after: readonly HeldPart[]): Move[] {
  const held = new Map(before.map((part) => [part.account, -amountOf(part)]));
  for (const part of after) held.set(part.account, (held.get(part.account) ?? 0n) + amountOf(part));
  return [...held].map(([account, change]) => ({ ...NONE, account, held: change }));
}

/** A call was reported on: what it cost is posted up to what was held; what it cost beyond that is overage. */
export function settlementMoves(parts: readonly UnitPart[], actual: readonly Amount[]): Move[] {
  return parts
    .map((part) => {
      const held = amountOf(part);
      const spent = actualOf(part, actual);
      const posted = spent < held ? spent : held;
      return { account: part.account, held: -held, posted, overage: spent - posted };
    })
    .filter(isMove);
}

/** The time of a hold is over and nobody said what became of its call: of a hard account it counts as spent. */
export function expiryMoves(parts: readonly (HeldPart & { readonly hard: boolean })[], pending: boolean): Move[] {
  return parts
    .map((part) => {
      const held = amountOf(part);
      return { ...NONE, account: part.account, held: -held, posted: part.hard && !pending ? held : 0n };
    })
    .filter(isMove);
}

/**
 * A report that came after the expiry: what the expiry posted is set right. `posted`: what that was, by account; `actual`
 * undefined: nothing ran. What the expiry gave back may be somebody else's by now: what was spent of it is overage.
 */
export function correctionMoves(
  parts: readonly UnitPart[],
  posted: ReadonlyMap<bigint, bigint>,
  actual: readonly Amount[] | undefined,
): Move[] {
  return parts
    .map((part) => {
      const spent = actual ? actualOf(part, actual) : 0n;
      const before = exactMicros(posted.get(part.account) ?? 0n, "what an expiry posted");
      const due = spent < before ? spent : before;
      return { account: part.account, held: 0n, posted: due - before, overage: spent - due };
    })
    .filter(isMove);
}

/** A call was reported on for which nothing was held, since it was only watched: all that it cost is beyond any hold. */
export function watchedMoves(parts: readonly UnitPart[], actual: readonly Amount[]): Move[] {
  return parts.map((part) => ({ ...NONE, account: part.account, overage: actualOf(part, actual) })).filter(isMove);
}
