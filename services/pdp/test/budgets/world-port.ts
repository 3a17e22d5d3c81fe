import type { BudgetStore } from "../../src/budgets/index.ts";
import type { HeldCall } from "../../src/decisions/index.ts";
import type { LedgerStore, NewRecord } from "../../src/ledger/index.ts";
import type { Owner } from "./scheduler.ts";
import type { Committed, Place, StoreState } from "./store-model.ts";

export const START_MS = Date.parse("2026-03-01T09:00:00Z");

/** A replica: its steps are its own, its clock may be wrong, and it may not reach the store. */
export interface Replica extends Owner {
  skewMs: number;
  /** It takes its own clock for the store's. */
  readonly believes: boolean;
  reaches: boolean;
}

/** A budget as it is declared. Its limit stands in the store. */
export interface Declared {
  readonly name: string;
  readonly unit: string;
  readonly hard: boolean;
  /** Undefined: for ever. */
  readonly windowMs: number | undefined;
  /** Each session has an account of its own. */
  readonly bySession?: true;
  /** A path of the input, or `agent`: an account for each of its values. */
  readonly per?: string;
  /** What an agent usually spends stops it. */
  readonly anomaly?: true;
}

export const TENANT = "t";
export interface Operators {
  hold(id: string): Promise<HeldCall | null>;
  /** Records that a hold was ended by an operator, on a writer of its own. Answers whether it was. */
  end(ending: NewRecord): Promise<boolean>;
}

/** What the tenant is set to; with each change its security revision moves on. */
export interface Settings {
  readonly suspended: boolean;
  /** Policies are only watched. */
  readonly watched: boolean;
}

/** Tells of every commit right after it. */
export type CommitSeen = (batch: readonly NewRecord[], committed: Committed, place: Place) => void;

/** A store in memory that happens step by step, and what can befall it. */
export interface World {
  readonly state: StoreState;
  /** The store's time. */
  nowMs(): number;
  settings(): Settings;
  set(settings: Partial<Settings>): void;
  security(): bigint;
  /** Reads something that a replica wants to know: it may be kept from it. */
  read<Value>(replica: Replica, name: string, what: () => Value): Promise<Value>;
  ledgerStore(replica: Replica): LedgerStore;
  budgetStore(replica: Replica): BudgetStore;
  /** What operators look at and do on a replica. */
  operators(replica: Replica): Operators;
  /** Time passes by itself, for nobody's timers. */
  leap(ms: number): void;
  /** Breaks connections of a replica. A backend that lives on does what it was told. */
  cut(replica: Replica, backend: "killed" | "lives_on"): void;
  /** While it is away nothing connects, and what ran is gone. */
  setAway(away: boolean): void;
  loseNextAnswer(): void;
  /** Nothing more is lost or held up. */
  heal(): void;
  /** Shuts a replica out as another one does: waits for its statements first. */
  fence(replica: Replica): Promise<void>;
  /** Accounts that an administrator's transaction holds and does not let go. */
  readonly clung: Set<bigint>;
  /** Accounts that a record or an operator froze. */
  readonly frozen: Set<bigint>;
  /** How many budgets were deleted. */
  deletions(): number;
  remove(budget: string): void;
  /** Reports by a build that knows no budgets: they settle a call, and its hold stays. */
  readonly settledBefore: Set<string>;
  /** What was recorded by a writer that had been shut out, and CHECKs that were broken. */
  readonly wrong: string[];
}
