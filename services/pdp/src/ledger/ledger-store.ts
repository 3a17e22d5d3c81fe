import type { DecisionRange, ListedRecord, ListedRecords, NewRecord, RecordOutcome, StoredRecord } from "./record.ts";

/**
 * How a commit can fail.
 * `poisoned`: a row of the batch is at fault, nothing of the batch was recorded, it can be halved.
 * `fenced`: the writer is dead, nothing of the batch was recorded. From `openWriter`: the replica is dead for ever.
 * `lost`: nobody knows whether it was recorded.
 * `broken`: this process or its store is not what it was (a cloned process writes the same numbers; a restored backup
 * lost commits). The line stops.
 */
export type CommitFailureKind = "poisoned" | "fenced" | "lost" | "broken";

export class CommitFailure extends Error {
  readonly kind: CommitFailureKind;
  constructor(kind: CommitFailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CommitFailure";
    this.kind = kind;
  }
}

/** One writer: one row, one direct connection, one statement in flight. */
export interface LedgerWriter {
  /** The writer's number. */
  readonly epoch: bigint;
  /** Resolves once its connection is gone, so that nobody waits for the next batch to find out. */
  readonly lost: Promise<void>;
  /**
   * Commits a batch whole or fails with `CommitFailure`. Outcomes stand in the batch's order. Ids are distinct in a
   * batch; keys need not be. After `fenced`, `lost` and `broken` the writer takes nothing more.
   */
  commit(batch: readonly NewRecord[]): Promise<RecordOutcome[]>;
  /** Gives the connection back. The writer's row stays, its numbers end here. */
  close(): Promise<void>;
}

/** What the ledger needs of a store. */
export interface LedgerStore {
  /** Registers this process as a replica; writers are born only while it is alive. */
  register(): Promise<void>;
  /**
   * A new writer under a new number. Fails with `CommitFailure` `fenced` for ever once the replica was fenced and
   * `broken` when the line must stop; any other error means that the store is away for now.
   */
  openWriter(): Promise<LedgerWriter>;
  /**
   * Shuts a writer out for ever: waits for a statement of it that may still run, lets none in after it. Then the
   * batch whose acknowledgement was lost can be looked up: what is found was recorded, the rest never will be.
   * May be repeated.
   */
  fenceWriter(epoch: bigint): Promise<void>;
  /**
   * What became of records after their writer was fenced; null where the record is not there. Fails with `poisoned`
   * when one of them cannot even be asked for.
   */
  lookUp(batch: readonly NewRecord[]): Promise<(RecordOutcome | null)[]>;
  /** What was recorded under keys of a session, in the keys' order; null where nothing was. */
  findByKeys(
    tenant: string,
    session: string,
    sessionDay: string,
    keys: readonly Uint8Array[],
  ): Promise<(StoredRecord | null)[]>;
  /** A record by its id, or null: in this tenant only. */
  findById(tenant: string, id: string): Promise<StoredRecord | null>;
  /** Records about a decision, in order. */
  findBySubject(tenant: string, subject: string): Promise<StoredRecord[]>;
  /** A tenant's decisions between two ids, the newest first, as many as the range allows. */
  listDecisions(tenant: string, range: DecisionRange): Promise<ListedRecords>;
  /** The same records with what stands beside them, in their order; those that have gone meanwhile are left out. */
  withAsides(tenant: string, records: readonly ListedRecord[]): Promise<StoredRecord[]>;
  /** Declares this replica dead and closes its connections. What is in flight fails as `lost`. */
  close(): Promise<void>;
}
