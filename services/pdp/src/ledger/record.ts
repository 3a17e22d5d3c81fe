import { assert } from "../foundation/assert.ts";
import type { Balance, Move } from "../foundation/balance.ts";

export type { Balance, Move };

/**
 * What is recorded. Decisions, reports, every change of who may do what, `alias`: that a call's id stands for the call
 * of a business key, and `expiry`: that a hold's time was over.
 */
export type RecordKind = "decision" | "report" | "session" | "admin" | "alias" | "expiry";

/**
 * What a record does to the hold of a decision. `hold` is its id, which it keeps for ever: that of the decision that
 * took it. `decision` is the one that must have it.
 */
export type HoldStep =
  | { readonly step: "take"; readonly expiresAtMs: number; readonly pending: boolean }
  | {
      readonly step: "adopt";
      readonly hold: string;
      readonly decision: string;
      readonly expiresAtMs: number;
      /** It waits for an approval. */
      readonly pending: boolean;
    }
  | { readonly step: "extend"; readonly hold: string; readonly decision: string; readonly expiresAtMs: number }
  | {
      readonly step: "end";
      readonly hold: string;
      readonly decision: string;
      /** Only if its time is over by the store's clock. */
      readonly overdue?: true;
    };

/** What a record does to budgets: all of it is done in the commit that inserts the record, or none. */
export interface Charge {
  /**
   * One an account at most. What is held grows only with a step `take` or `adopt`, and there an account that is moved by
   * nothing is asked too whether it is open.
   */
  readonly moves: readonly Move[];
  readonly hold?: HoldStep;
  /** An account that is frozen by this record: one that it moves. */
  readonly freezes?: bigint;
}

/**
 * Why an account did not let a charge in. `closed`: its window is not current by the store's clock, or there is no such
 * account. `exhausted`: the amount alone is more than what is free. `unusual`: alone it would bring the account
 * over its alarm. `full`: more would be counted of it than any account may count. `crowded`: it fits alone, but not beside what was
 * before it in its batch. `locked`: something else held the account for too long.
 */
export interface Short {
  readonly account: bigint;
  readonly why: "closed" | "frozen" | "exhausted" | "unusual" | "full" | "crowded" | "locked";
  /** After the batch; where the account is known. */
  readonly balance?: Balance;
}

/** A record on its way to the store. */
export interface NewRecord {
  /** UUIDv7: the decision's or report's id. */
  readonly id: string;
  readonly tenant: string;
  /** UUID of the session. */
  readonly session: string;
  /** The UTC day that the session opened, YYYY-MM-DD: the partition of its calls. */
  readonly sessionDay: string;
  /** 16 bytes: see `idempotencyKey`. */
  readonly key: Uint8Array;
  /** 32 bytes: what the call is; the same key with another request is refused. */
  readonly request: Uint8Array;
  readonly kind: RecordKind;
  /** The decision that a report is about. */
  readonly subject?: string;
  /** The tenant's security revision that this was judged under. The store refuses what is older than its own. */
  readonly securityRevision: bigint;
  readonly expiresAtMs?: number;
  /** What it does to budgets. */
  readonly charge?: Charge;
  /** 32 bytes over the body. */
  readonly digest: Uint8Array;
  /** Canonical JSON in UTF-8, which the digest is over, whether it is sealed or not. */
  readonly body: Uint8Array;
  /** An input too long for the body, canonical JSON in UTF-8. */
  readonly aside?: Uint8Array;
  /** What breakers count of it: the session at the top of its chain, and what it was, shortened. */
  readonly counted?: { readonly run: string; readonly trail: string };
}

/** Where a record stands: the writer's number and its own number there, from 1, without gaps. */
export interface RecordRef {
  readonly epoch: bigint;
  readonly n: bigint;
}

/** A record as the store holds it. */
export interface StoredRecord extends RecordRef {
  readonly id: string;
  readonly tenant: string;
  readonly session: string;
  readonly kind: RecordKind;
  readonly digest: Uint8Array;
  readonly body: Uint8Array;
  readonly aside?: Uint8Array;
  /** Its tenant was erased: what it said can be read by nobody any more. */
  readonly erased?: true;
}

/** A record as a list reads it: `asideBytes` stand beside it, and are read for those that are told of. */
export interface ListedRecord extends Omit<StoredRecord, "aside"> {
  readonly asideBytes: number;
}

/** Some records of a range, the newest first. */
export interface ListedRecords {
  readonly records: readonly ListedRecord[];
  /** Whether there may be others behind them. */
  readonly more: boolean;
}

/** Which decisions are read, or calls of the admin plane, by their ids: they sort by the time at which they were made. */
export interface DecisionRange {
  /** `decision` unless it says otherwise. */
  readonly kind?: "decision" | "admin";
  readonly fromId: string;
  /** Not included. */
  readonly beforeId: string;
  readonly session: string | undefined;
  readonly recordsMax: number;
  /** What bodies are read together: the one that reaches it is the last. */
  readonly bytesMax: number;
}

/** What became of one record of a batch. */
export type RecordOutcome =
  | {
      readonly outcome: "inserted";
      readonly ref: RecordRef;
      /** Of the accounts that it charged, after its batch; absent where nobody knows them, as after a lost acknowledgement. */
      readonly balances?: readonly Balance[];
    }
  /** The key had been recorded with the same request: that record stands. */
  | { readonly outcome: "existing"; readonly record: StoredRecord }
  /** The key had been recorded with another request: by that record. */
  | { readonly outcome: "reused"; readonly record: StoredRecord }
  /** Judged under an older security revision than the store's: refresh and decide anew. */
  | { readonly outcome: "stale" }
  /** Its charge was not let in, so nothing was recorded: by these accounts. */
  | { readonly outcome: "short"; readonly shorts: readonly Short[] }
  /** Its hold was ended, or has gone on to another decision: nothing was recorded. */
  | { readonly outcome: "gone" };

export type UnchargedOutcome = Exclude<RecordOutcome, { readonly outcome: "short" | "gone" }>;

/** The outcome of a record without a charge: no account or hold can have kept it out. */
export function uncharged(outcome: RecordOutcome): UnchargedOutcome {
  assert(outcome.outcome !== "short" && outcome.outcome !== "gone", "a record without a charge met a budget");
  return outcome;
}
