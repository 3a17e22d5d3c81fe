import type { Balance, Move } from "../foundation/balance.ts";

export type { Balance, Move };

/** Which account of a tenant: a budget's, under one key. Of its windows the one that is current. */
export interface AccountName {
  readonly budget: string;
  /** Canonical JSON of the values that an account of its own is kept for; empty where the budget has a single one. */
  readonly key: string;
  /** The session whose own it is; absent: whoever has the key shares it. */
  readonly session?: string;
  /**
   * What the key may have been before what is in it was redacted: an account that was opened under one of these in the window
   * of now is the account. Absent: it has always been this.
   */
  readonly before?: readonly string[];
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
  /** It is none, and was not opened: its budget has as many in this window as it may. */
  readonly full?: true;
  /** Where spending is compared with what was usual: of the windows before this one, the newest first. */
  readonly history?: readonly bigint[];
}

/** What a hold has taken of one account, in millionths. */
export interface HeldPart {
  readonly account: bigint;
  readonly amount: bigint;
}
