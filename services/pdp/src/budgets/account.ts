/** Which account of a tenant: a budget's, under one key. Of its windows the one that is current. */
export interface AccountName {
  readonly budget: string;
  /** Canonical JSON of the values that an account of its own is kept for; empty where the budget has a single one. */
  readonly key: string;
}

/** What is in an account, in millionths of its unit. */
export interface Balance {
  readonly account: bigint;
  readonly limit: bigint;
  /** Of calls that are under way. */
  readonly held: bigint;
  /** Spent for good. */
  readonly posted: bigint;
  /** Spent beyond what had been held for it. */
  readonly overage: bigint;
  /** Nothing is held here until somebody has looked. */
  readonly frozen: boolean;
}

/** The books of a budget for one key and one window. */
export interface Account extends AccountName {
  readonly id: bigint;
  readonly unit: string;
  /** A soft one counts and never refuses. */
  readonly hard: boolean;
  readonly opensAtMs: number;
  /** Not included; Infinity where its window never ends. */
  readonly closesAtMs: number;
  readonly balance: Balance;
}

/** What a record does to one account, in the commit that records it: signed millionths. */
export interface Move {
  readonly account: bigint;
  readonly held: bigint;
  readonly posted: bigint;
  readonly overage: bigint;
}

/** What a hold has taken of one account, in millionths. */
export interface HeldPart {
  readonly account: bigint;
  readonly amount: bigint;
}
