import { LRUCache } from "lru-cache";
import { Fault } from "../foundation/fault.ts";
import type { Random } from "../foundation/ids.ts";
import { unwrapBy, type WrappingKeys, wrap } from "../foundation/key-wrap.ts";
import type { DataKeyStore, LoadedDataKey, StoredDataKey } from "./data-key-store.ts";
import { createSealer, type Sealer } from "./seal.ts";

const TENANTS_MAX = 10_000;
const KEY_BYTES = 32;

/** What a tenant's data key does. Nobody else sees its bytes. */
export interface TenantKey {
  readonly sealer: Sealer;
}

/** The tenants' data keys: made when first needed, remembered only while no security change came after them. */
export interface DataKeys {
  /** The tenant's key if it is in memory. */
  held(tenant: string): TenantKey | undefined;
  /** The tenant's key, read or made. Throws a Fault for a tenant that was erased. */
  load(tenant: string): Promise<TenantKey>;
  /** Reads the keys in memory again that a security change came after: those of erased tenants are forgotten. */
  heard(): Promise<void>;
}

/** What a data key is wrapped for: it unwraps as no other tenant's. */
export function dataKeyPurpose({ id, tenant }: Pick<StoredDataKey, "id" | "tenant">): string {
  return `data-key/${id}/${tenant}`;
}

/** The fault for what a tenant's erased key protected. */
export function tenantErased(): Fault {
  return new Fault("precondition", "tenant_erased", "this tenant was erased: what its entries said is gone for good", {
    fix: "the entry's digest, number and time still stand; nothing brings back what it said",
  });
}

interface Options {
  readonly store: DataKeyStore;
  readonly wrapping: WrappingKeys;
  readonly random: Random;
  readonly newId: () => string;
  /** The tenant's security revision as this process knows it. */
  readonly security: (tenant: string) => bigint;
  /** Told of a tenant whose key was in memory and is gone. */
  readonly onErased?: (tenant: string) => void;
}

export function createDataKeys({ store, wrapping, random, newId, security, onErased }: Options): DataKeys {
  const keys = new LRUCache<string, TenantKey & { readonly security: bigint }>({ max: TENANTS_MAX });
  const loading = new Map<string, Promise<TenantKey>>();

  const make = (tenant: string): Promise<LoadedDataKey> => {
    const id = newId();
    const secret = Buffer.alloc(KEY_BYTES);
    random(secret);
    const wrapped = wrap(wrapping.current, dataKeyPurpose({ id, tenant }), secret, random);
    return store.addDataKey({ id, tenant, wrapped, wrappedBy: wrapping.current.id });
  };

  const read = async (tenant: string): Promise<TenantKey> => {
    const found = await store.dataKey(tenant);
    const { key, security: readAt } = found.key ? found : await make(tenant);
    if (!key?.wrapped) {
      if (keys.delete(tenant)) onErased?.(tenant);
      throw tenantErased();
    }
    const known = keys.peek(tenant);
    if (known?.sealer.keyId === key.id) {
      // The same key, known to stand for longer: its subkeys stay.
      const entry = { ...known, security: readAt };
      keys.set(tenant, entry);
      return entry;
    }
    const bytes = unwrapBy(wrapping, dataKeyPurpose(key), { bytes: key.wrapped, by: key.wrappedBy });
    const entry = { sealer: createSealer({ id: key.id, bytes }, random), security: readAt };
    keys.set(tenant, entry);
    return entry;
  };

  const load = (tenant: string): Promise<TenantKey> => {
    const under = loading.get(tenant);
    if (under) return under;
    const started = read(tenant).finally(() => loading.delete(tenant));
    loading.set(tenant, started);
    return started;
  };

  return {
    held(tenant) {
      const entry = keys.get(tenant);
      return entry && entry.security >= security(tenant) ? entry : undefined;
    },
    load,
    async heard() {
      const older: Promise<unknown>[] = [];
      for (const [tenant, entry] of keys) if (entry.security < security(tenant)) older.push(load(tenant));
      await Promise.allSettled(older);
    },
  };
}
