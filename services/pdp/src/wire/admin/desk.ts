import type { Admission, Custody, Keys, Lifecycle, ListDecisions, Registry, Tenants } from "../../decisions/index.ts";
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
  readonly custody: Custody;
  readonly snapshots: Snapshots;
  readonly policies: PolicyStore;
  readonly ledger: Ledger;
  readonly listDecisions: ListDecisions;
  readonly identities: Identities;
  readonly admission: Admission;
  /** Who calls. */
  identify(call: Call): Promise<Caller>;
  /** Who calls, who must have the role. */
  caller(call: Call, role: Role): Promise<Caller>;
}

export function createAdminDesk(rooms: Omit<AdminDesk, "identify" | "caller">): AdminDesk {
  const { identities, admission } = rooms;
  const identify = async (call: Call): Promise<Caller> => {
    admission.admitAdmin(await identities.authenticate(call));
    // Nothing here passes the commit that refuses what was judged too early, and none of it is in a hurry.
    return identities.authenticate(call, true);
  };
  return {
    ...rooms,
    identify,
    async caller(call, role) {
      const caller = await identify(call);
      requireRole(caller, role);
      return caller;
    },
  };
}
