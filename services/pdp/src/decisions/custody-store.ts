import type { StoredSigningKey } from "../identities/index.ts";
import type { StoredDataKey } from "../ledger/index.ts";

/** A signing key as it is shown; null while it lives. */
export interface ListedSigningKey extends Pick<StoredSigningKey, "kid" | "wrappedBy" | "createdAtMs"> {
  readonly retiredAtMs: number | null;
}

/** What custody needs of a store, besides changes. */
export interface CustodyStore {
  /** All that ever were, newest first. */
  listSigningKeys(): Promise<ListedSigningKey[]>;
  /** The living ones with what wraps them, newest first. */
  signingKeys(): Promise<StoredSigningKey[]>;
  /** Data keys, not destroyed, that another key than this one wraps; at most so many. */
  dataKeysNotBy(wrappingKey: string, keysMax: number): Promise<StoredDataKey[]>;
  /** Ids of the wrapping keys that something in the store is wrapped by. */
  wrappingKeysInUse(): Promise<string[]>;
  /** Blanks rows of a tenant whose key was destroyed, at most so many of each kind. Answers how many it touched. */
  eraseRows(tenant: string, rowsMax: number): Promise<number>;
}
