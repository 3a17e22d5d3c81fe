import type { Maker } from "../policies/index.ts";

/** Why something is frozen. */
export interface Freeze {
  readonly reason: string;
  /** Undefined: a call spent more beyond its hold than its tool may. */
  readonly by: Maker | undefined;
  readonly atMs: number | undefined;
}

/** The books of an account, amounts in millionths. */
export interface AccountBooks {
  readonly id: bigint;
  /** Undefined: of a delegation. */
  readonly budget: string | undefined;
  /** The session that a delegation gave it to. */
  readonly session: string | undefined;
  readonly key: string;
  readonly unit: string;
  readonly hard: boolean;
  /** The one that binds. */
  readonly limit: bigint;
  /** Its own; null: the budget's binds. */
  readonly ownLimit: bigint | null;
  readonly held: bigint;
  readonly posted: bigint;
  readonly overage: bigint;
  readonly freeze: Freeze | undefined;
  /** The most that is spent and held before it is out of the ordinary; undefined: nothing is. */
  readonly alarm: bigint | undefined;
  /** How many windows before it that is made from; 0 too where nothing is compared. */
  readonly windowsBefore: number;
  /** Since when an operator has it judged no more. */
  readonly alarmOffAtMs: number | undefined;
  readonly opensAtMs: number;
  readonly closesAtMs: number | undefined;
}

export interface AccountQuery {
  /** Undefined: accounts of delegations. */
  readonly budget: string | undefined;
  readonly session: string | undefined;
  /** What one value of the key begins with. */
  readonly keyPrefix: string;
  /** In hundredths of a percent of the limit. */
  readonly usedMin: number;
  /** Only those after this place, which `placeOf` answered. */
  readonly after: AccountPlace | undefined;
  readonly most: number;
}

/** Where an account stands among others, the fullest first. */
export interface AccountPlace {
  /** A decimal: spent and held, of the limit. */
  readonly used: string;
  readonly id: bigint;
}

export interface PlacedAccount extends AccountBooks {
  readonly place: AccountPlace;
}

/** How a budget stands in its current windows. */
export interface BudgetStanding {
  readonly budget: string;
  readonly freeze: Freeze | undefined;
  readonly accounts: number;
  readonly fullest: AccountBooks | undefined;
}

/** A hold that is open. */
export interface HeldCall {
  readonly id: string;
  readonly decision: string;
  readonly session: string;
  /** YYYY-MM-DD. */
  readonly sessionDay: string;
  readonly agent: string;
  readonly pending: boolean;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly amounts: readonly {
    readonly account: bigint;
    readonly budget: string | undefined;
    readonly unit: string;
    readonly micros: bigint;
  }[];
}

export interface HoldQuery {
  readonly budget: string | undefined;
  readonly session: string | undefined;
  readonly agent: string | undefined;
  readonly pending: boolean | undefined;
  readonly olderThanMs: number;
  /** Only younger ones than this. */
  readonly after: string | undefined;
  readonly most: number;
}

/** Where the books of an account are not the sum of the records. */
export interface BookDifference {
  readonly account: bigint;
  readonly budget: string | undefined;
  readonly key: string;
  readonly unit: string;
  readonly column: "held" | "spent" | "overage" | "holds";
  readonly books: bigint;
  readonly records: bigint;
}

export interface Verified {
  readonly accounts: bigint;
  readonly records: bigint;
  readonly found: bigint;
  readonly differences: readonly BookDifference[];
}

/** What operators read of budgets. All of it as of one moment of the store. */
export interface BudgetBooksStore {
  /** Of these budgets, those that are declared; without the keys of their accounts, which may be long. */
  standings(tenant: string, budgets: readonly string[]): Promise<BudgetStanding[]>;
  standing(tenant: string, budget: string): Promise<BudgetStanding | null>;
  /** Of the current windows, the fullest first. */
  accounts(tenant: string, query: AccountQuery): Promise<PlacedAccount[]>;
  account(tenant: string, id: bigint): Promise<AccountBooks | null>;
  /** Accounts of a budget that are over their limits: how many, and the fullest. */
  over(
    tenant: string,
    of: { readonly budget: string } | { readonly account: bigint },
    most: number,
  ): Promise<{ readonly count: number; readonly accounts: AccountBooks[] }>;
  /** The oldest first. */
  holds(tenant: string, query: HoldQuery): Promise<HeldCall[]>;
  hold(tenant: string, id: string): Promise<HeldCall | null>;
  /** Adds up every record's moves. Reads all records of the tenant that moved something. */
  verify(tenant: string, most: number): Promise<Verified>;
}
