export {
  CommitFailure,
  type CommitFailureKind,
  type LedgerStore,
  type LedgerWriter,
} from "./ledger-store.ts";
export type { NewRecord, RecordKind, RecordOutcome, RecordRef, StoredRecord } from "./record.ts";
