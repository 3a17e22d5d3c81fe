import { takeRoomOf } from "../foundation/balance.ts";
import { Fault } from "../foundation/fault.ts";
import type { Balance, Move } from "./account.ts";

/** The greatest quantity of anything, in millionths: sums of two still fit 64 bits with their sign. */
export const MICROS_MAX = 2n ** 61n;

/** What the store keeps of an account, for those who compute what it will do. */
export interface Books extends Balance {
  readonly hard: boolean;
  /** The highest limit under which what is held and posted was let in. */
  readonly ceiling: bigint;
}

type Counted = Pick<Balance, "limit" | "held" | "posted" | "overage">;

/** What may still be held of an account; negative where a limit was lowered, or more was spent than held. */
export function freeOf({ limit, held, posted, overage }: Counted): bigint {
  return limit - held - posted - overage;
}

/** What may still be held of an account before it is out of the ordinary; undefined where nothing is. */
function usualFreeOf(books: Counted & Pick<Balance, "alarm">): bigint | undefined {
  return books.alarm === undefined ? undefined : freeOf({ ...books, limit: books.alarm });
}

/** Why an account does not take this much more; undefined where it does. Soft ones refuse only while frozen, or full. */
export function refuses(books: Pick<Books, keyof Counted | "frozen" | "hard" | "alarm">, micros: bigint) {
  if (books.frozen) return "frozen" as const;
  if (micros <= 0n) return undefined;
  if (!books.hard) return micros > takeRoomOf(books) ? ("full" as const) : undefined;
  if (micros > freeOf(books)) return "exhausted" as const;
  return micros > (usualFreeOf(books) ?? micros) ? ("unusual" as const) : undefined;
}

/** A quantity, refused where it is none. `what` names it. */
export function exactMicros(micros: bigint, what: string): bigint {
  if (micros >= 0n && micros <= MICROS_MAX) return micros;
  throw new Fault("internal", "internal", `${what} would be ${micros} millionths`, { limit: "0 to 2^61 millionths" });
}

const least = (one: bigint, other: bigint) => (one < other ? one : other);
const greatest = (one: bigint, other: bigint) => (one > other ? one : other);

/**
 * An account after a move. The ceiling falls to the limit as money comes back. Throws where anything would be below zero,
 * beyond 64 bits, or above the ceiling of a hard account: such a record is not made.
 */
export function moved(books: Books, move: Move): Books {
  const held = exactMicros(books.held + move.held, "what is held");
  const posted = exactMicros(books.posted + move.posted, "what is spent");
  const overage = exactMicros(books.overage + move.overage, "what is spent beyond its holds");
  const ceiling = greatest(books.limit, least(books.ceiling, held + posted));
  if (books.hard && held + posted > ceiling) {
    throw new Fault("internal", "internal", "more would be held and spent than the limit", { limit: `${ceiling}` });
  }
  return { ...books, held, posted, overage, ceiling };
}
