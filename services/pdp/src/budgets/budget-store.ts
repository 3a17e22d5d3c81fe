import type { Account, AccountName, Balance, HeldPart } from "./account.ts";

/** What is held for a decision that nobody has ended yet. */
export interface OpenHold {
  /** The decision that took it first: its id for ever. */
  readonly id: string;
  readonly tenant: string;
  /** The decision that has it now. */
  readonly decision: string;
  readonly session: string;
  /** The UTC day that the session opened, YYYY-MM-DD. */
  readonly sessionDay: string;
  readonly parts: readonly (HeldPart & { readonly hard: boolean })[];
  /** It waits for an approval: when its time is over it is given back, not spent. */
  readonly pending: boolean;
  readonly expiresAtMs: number;
}

/** What the room reads and opens. What accounts hold changes with the records of the ledger alone. */
export interface BudgetStore {
  /**
   * Opens what is missing, of windows current by the store's time; answers all, in the names' order; null where no such
   * budget is declared. Of a budget that keeps accounts by keys only so many are opened in one window, and where each session
   * has its own, for one session.
   */
  openAccounts(tenant: string, names: readonly AccountName[]): Promise<(Account | null)[]>;
  /** The same of windows that were current at a time by the store's clock that is over: what was spent in them is theirs. */
  openAccountsThen(tenant: string, names: readonly AccountName[], atMs: number): Promise<(Account | null)[]>;
  /** Balances now, of those accounts that exist. */
  balances(tenant: string, accounts: readonly bigint[]): Promise<Balance[]>;
  /** Open holds whose time is over, the oldest first. */
  overdueHolds(limit: number): Promise<OpenHold[]>;
}

/** What is read of accounts by those who only look. */
export interface BudgetLook extends Pick<BudgetStore, "balances"> {
  /**
   * Accounts as they are in the windows current by the store's time, or as they would be opened: then their numbers are
   * below 0, and nothing is held or spent of them; `full` where they would not be. In the names' order; null where no such budget is declared.
   */
  lookAt(tenant: string, names: readonly AccountName[]): Promise<(Account | null)[]>;
}
