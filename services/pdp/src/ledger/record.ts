/**
 * What is recorded. Decisions, reports, every change of who may do what, and `alias`: that a call's id stands for the
 * call of a business key.
 */
export type RecordKind = "decision" | "report" | "session" | "admin" | "alias";

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
  /** 32 bytes over the body. */
  readonly digest: Uint8Array;
  /** Canonical JSON in UTF-8, which the digest is over, whether it is sealed or not. */
  readonly body: Uint8Array;
  /** An input too long for the body, canonical JSON in UTF-8. */
  readonly aside?: Uint8Array;
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

/** Which decisions are read, or calls of the admin plane, by their ids: they sort by the time at which they were made. */
export interface DecisionRange {
  /** `decision` unless it says otherwise. */
  readonly kind?: "decision" | "admin";
  readonly fromId: string;
  /** Not included. */
  readonly beforeId: string;
  readonly session: string | undefined;
  readonly recordsMax: number;
}

/** What became of one record of a batch. */
export type RecordOutcome =
  | { readonly outcome: "inserted"; readonly ref: RecordRef }
  /** The key had been recorded with the same request: that record stands. */
  | { readonly outcome: "existing"; readonly record: StoredRecord }
  /** The key had been recorded with another request: by that record. */
  | { readonly outcome: "reused"; readonly record: StoredRecord }
  /** Judged under an older security revision than the store's: refresh and decide anew. */
  | { readonly outcome: "stale" };
