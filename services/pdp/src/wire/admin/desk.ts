import type { Keys, Lifecycle, ListDecisions, Registry, Tenants } from "../../decisions/index.ts";
import { type Caller, type Identities, type Role, requireRole } from "../../identities/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import type { PolicyStore, Snapshots } from "../../policies/index.ts";
import type { Call } from "../call.ts";

/** What the RPCs of the admin plane share. */
export interface AdminDesk {
  readonly registry: Registry;
  readonly lifecycle: Lifecycle;
  readonly keys: Keys;
  readonly tenants: Tenants;
  readonly snapshots: Snapshots;
  readonly policies: PolicyStore;
  readonly ledger: Ledger;
  readonly listDecisions: ListDecisions;
  readonly identities: Identities;
  /** Who calls, who must have the role. */
  caller(call: Call, role: Role): Promise<Caller>;
}

export function createAdminDesk(rooms: Omit<AdminDesk, "caller">): AdminDesk {
  return {
    ...rooms,
    async caller(call, role) {
      // Nothing here passes the commit that refuses what was judged too early, and none of it is in a hurry.
      const caller = await rooms.identities.authenticate(call.authorization, true);
      requireRole(caller, role);
      return caller;
    },
  };
}
