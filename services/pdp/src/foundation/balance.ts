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
