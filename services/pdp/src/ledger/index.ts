export { idempotencyKey } from "./key.ts";
export { createLedger, type Ledger, type LedgerOptions, type LedgerState } from "./ledger.ts";
export {
  CommitFailure,
  type CommitFailureKind,
  type LedgerStore,
  type LedgerWriter,
} from "./ledger-store.ts";
export type { NewRecord, RecordKind, RecordOutcome, RecordRef, StoredRecord } from "./record.ts";
export type { CommitSeen, Stopped } from "./shared.ts";
export type { Timing } from "./timing.ts";
export { LedgerUnavailable } from "./unavailable.ts";
