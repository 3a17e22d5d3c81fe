import { LRUCache } from "lru-cache";
import { spiffePrefixes } from "../foundation/spiffe-id.ts";
import type { Caller } from "./caller.ts";
import { CERTIFICATES } from "./evidence.ts";
import type { IdentityStore, Loaded } from "./identity-store.ts";
import type { Proven } from "./proven.ts";

const CERTIFICATES_MAX = 10_000;

/** `spiffe://trust.domain/path`: the trust domain's own id, which is the part that vouches for the rest. */
function trustDomainOf(spiffeId: string): string {
  return spiffeId.split("/").slice(0, 3).join("/");
}

/** Callers by the SPIFFE ids of their certificates; null for one that nothing is bound to. */
export function createCertificates(rooms: {
  readonly proven: Pick<Proven, "callerOf">;
  readonly store: Pick<IdentityStore, "tenantOfWorkload">;
  readonly fresh: (entry: Loaded<{ readonly tenant: string }>) => boolean;
}) {
  const { proven, store, fresh } = rooms;
  const callers = new LRUCache<string, Loaded<Caller>>({ max: CERTIFICATES_MAX });
  const tenants = new LRUCache<string, Loaded<{ readonly tenant: string }>>({ max: CERTIFICATES_MAX });

  /** Whoever gives a prefix away, or gets one, moves the revision of every tenant that the id may have spoken to. */
  const tenantOf = async (spiffeId: string, anew: boolean) => {
    const known = tenants.get(spiffeId);
    if (!anew && known && fresh(known)) return known;
    const found = await store.tenantOfWorkload(spiffePrefixes(spiffeId));
    tenants.set(spiffeId, found);
    return found;
  };

  return async (spiffeId: string, anew: boolean): Promise<Loaded<Caller> | null> => {
    const known = callers.get(spiffeId);
    if (!anew && known && fresh(known)) return known;
    const { row, security } = await tenantOf(spiffeId, anew);
    const said = { issuer: trustDomainOf(spiffeId), subject: spiffeId, groups: [], expiresAtMs: undefined };
    const found = await proven.callerOf({ tenant: row.tenant, kind: "spiffe", source: CERTIFICATES, ...said }, anew);
    if (!found) {
      callers.delete(spiffeId);
      return null;
    }
    // Read one after the other: together they are as new as the older.
    const caller = security < found.security ? { ...found, security } : found;
    callers.set(spiffeId, caller);
    return caller;
  };
}
