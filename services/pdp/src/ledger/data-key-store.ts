/** A tenant's data key as the store holds it. */
export interface StoredDataKey {
  /** UUID. */
  readonly id: string;
  readonly tenant: string;
  /** Null once the tenant was erased: then the key is nowhere. */
  readonly wrapped: Uint8Array | null;
  /** Id of the wrapping key. */
  readonly wrappedBy: string;
}

/** A tenant's key, if it has one, and the tenant's security revision that held when it was read. */
export interface LoadedDataKey {
  readonly key: StoredDataKey | null;
  readonly security: bigint;
}

/** What the room needs of a store to seal what it records. */
export interface DataKeyStore {
  dataKey(tenant: string): Promise<LoadedDataKey>;
  /** Stores the key unless its tenant has one, or had one that was destroyed; answers what then is there. */
  addDataKey(key: StoredDataKey & { readonly wrapped: Uint8Array }): Promise<LoadedDataKey>;
}
