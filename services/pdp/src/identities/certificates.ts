import { LRUCache } from "lru-cache";
import type { Caller } from "./caller.ts";
import { CERTIFICATES } from "./evidence.ts";
import type { Loaded } from "./identity-store.ts";
import type { Proven } from "./proven.ts";

const CERTIFICATES_MAX = 10_000;

/** `spiffe://trust.domain/path`: the trust domain's own id, which is the part that vouches for the rest. */
function trustDomainOf(spiffeId: string): string {
  return spiffeId.split("/").slice(0, 3).join("/");
}

/** Callers by the SPIFFE ids of their certificates; null for one that nothing is bound to. */
export function createCertificates(rooms: {
  readonly proven: Pick<Proven, "callerOf">;
  readonly fresh: (entry: Loaded<Caller>) => boolean;
  /** The tenant that a SPIFFE id speaks to. */
  readonly tenantOf: (spiffeId: string) => string;
}) {
  const { proven, fresh, tenantOf } = rooms;
  const callers = new LRUCache<string, Loaded<Caller>>({ max: CERTIFICATES_MAX });
  return async (spiffeId: string, anew: boolean): Promise<Loaded<Caller> | null> => {
    const tenant = tenantOf(spiffeId);
    const known = callers.get(spiffeId);
    if (!anew && known && known.row.tenant === tenant && fresh(known)) return known;
    const said = { issuer: trustDomainOf(spiffeId), subject: spiffeId, groups: [], expiresAtMs: undefined };
    const found = await proven.callerOf({ tenant, kind: "spiffe", source: CERTIFICATES, ...said }, anew);
    if (found) callers.set(spiffeId, found);
    else callers.delete(spiffeId);
    return found;
  };
}
