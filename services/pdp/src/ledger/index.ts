export { idempotencyKey } from "./key.ts";
export { createLedger, type Ledger } from "./ledger.ts";
export {
  CommitFailure,
  type LedgerStore,
  type LedgerWriter,
} from "./ledger-store.ts";
export type { Beat, PeerStore } from "./peer-store.ts";
export { createPeers } from "./peers.ts";
export type { DecisionRange, NewRecord, RecordKind, RecordOutcome, RecordRef, StoredRecord } from "./record.ts";
export type { Stopped } from "./shared.ts";
export { systemTiming, type Timing } from "./timing.ts";
export { LedgerUnavailable } from "./unavailable.ts";
