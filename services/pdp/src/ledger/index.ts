export type { DataKeyStore, StoredDataKey } from "./data-key-store.ts";
export { createDataKeys, dataKeyPurpose, tenantErased } from "./data-keys.ts";
export { idempotencyKey } from "./key.ts";
export { createLedger, type Ledger } from "./ledger.ts";
export {
  CommitFailure,
  type LedgerStore,
  type LedgerWriter,
} from "./ledger-store.ts";
export type { Beat, PeerStore } from "./peer-store.ts";
export { createPeers } from "./peers.ts";
export {
  type Balance,
  type Charge,
  type DecisionRange,
  type HoldStep,
  type ListedRecord,
  type ListedRecords,
  type Move,
  type NewRecord,
  type RecordKind,
  type RecordOutcome,
  type RecordRef,
  type Short,
  type StoredRecord,
  type UnchargedOutcome,
  uncharged,
} from "./record.ts";
export type { Marks } from "./seal.ts";
export { createSeal, type Marking, type Seal, sealedLedger } from "./sealed.ts";
export { type Cursor, type NextInLine, nextInLine, type Unplaced } from "./sequence.ts";
export { createSequencer } from "./sequencer.ts";
export type { SequencerStore, SequencerTurn } from "./sequencer-store.ts";
export type { Stopped } from "./shared.ts";
export { systemTiming, type Timing } from "./timing.ts";
export { LedgerUnavailable } from "./unavailable.ts";
