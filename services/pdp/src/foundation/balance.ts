/**
 * The most that one account may hold and have spent, in millionths, for a call to be let in that holds more of it: two of the
 * greatest amounts. It binds soft ones too, whose limits refuse nothing.
 */
export const accountTakesMax = 2n ** 62n;

/**
 * The most that one account may count at all. What is between the two is for what calls turn out to have cost beyond their
 * holds. So no sum of what an account has, in 64 bits with a sign, is ever beyond them.
 */
export const accountMax = 3n * 2n ** 61n;

/** What a record does to one account, in the commit that records it: signed millionths. */
export interface Move {
  readonly account: bigint;
  readonly held: bigint;
  readonly posted: bigint;
  readonly overage: bigint;
}

/** What is in an account, in millionths of its unit. What is free is limit - held - posted - overage, and may be below 0. */
export interface Balance {
  readonly account: bigint;
  readonly limit: bigint;
  /** Of calls that are under way. */
  readonly held: bigint;
  /** Spent for good. */
  readonly posted: bigint;
  /** Spent beyond what had been held for it. */
  readonly overage: bigint;
  /** It or its budget is: nothing is held here until somebody has looked. */
  readonly frozen: boolean;
  /** The most that may be spent and held here before it is out of the ordinary; absent: nothing is. */
  readonly alarm?: bigint;
}

type Counted = Pick<Balance, "held" | "posted" | "overage">;

/** What an account still takes of holds, whatever its limit; below 0 where an older build let more in. */
export function takeRoomOf({ held, posted, overage }: Counted): bigint {
  return accountTakesMax - held - posted - overage;
}

/** What it still takes of overage beside the holds of its commit. */
export function overageRoomOf({ held, posted, overage }: Counted): bigint {
  const used = held + posted + overage;
  return accountMax - (used > accountTakesMax ? used : accountTakesMax);
}
