import type {
  Admission,
  Believing,
  BreakerResets,
  BudgetBooks,
  BudgetBooksStore,
  BudgetHolds,
  Custody,
  Keys,
  Lifecycle,
  ListAdminCalls,
  ListDecisions,
  MakeChange,
  Proposals,
  RecordCall,
  Registry,
  Revocations,
  Tenants,
} from "../../decisions/index.ts";
import { assert } from "../../foundation/assert.ts";
import type { Clock } from "../../foundation/clock.ts";
import type { Log } from "../../foundation/log.ts";
import type { Identities, IdentityPages } from "../../identities/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import type { PolicyStore, Snapshots } from "../../policies/index.ts";
import type { Actor, Call } from "../call.ts";

/** The rooms that change what widens authority. */
export interface Authority {
  readonly registry: Registry;
  readonly lifecycle: Lifecycle;
  readonly keys: Keys;
  readonly believing: Believing;
  readonly tenants: Tenants;
  readonly revocations: Revocations;
  readonly budgetBooks: BudgetBooks;
  readonly budgetHolds: BudgetHolds;
}

/** What the RPCs of the admin plane share. */
export interface AdminDesk extends Authority {
  /** The same rooms, which make their changes by something else. */
  readonly authorityBy: (change: MakeChange) => Authority;
  readonly breakerResets: BreakerResets;
  readonly proposals: Proposals;
  readonly custody: Custody;
  readonly snapshots: Snapshots;
  readonly budgetStandings: Pick<BudgetBooksStore, "standings" | "standing">;
  readonly policies: PolicyStore;
  readonly ledger: Ledger;
  readonly listDecisions: ListDecisions;
  readonly listAdminCalls: ListAdminCalls;
  readonly identities: Identities;
  readonly identityPages: IdentityPages;
  readonly admission: Admission;
  readonly recordCall: RecordCall;
  readonly meter: AdminMeter;
  readonly log: Log;
  /** What windows are measured by. */
  readonly storeTime: Clock;
  /** Monotonic. */
  readonly uptime: Clock;
  /** Who calls, as the gate found out before the RPC was run: see `gate.ts`. */
  caller(call: Call): Actor;
}

/** What is counted of the admin plane. */
export interface AdminMeter {
  /** A request of nobody that is known, by the reason it was refused for. */
  adminStranger(reason: string): void;
  /** A request that was turned away because of load. */
  shed(rpc: string): void;
}

export function createAdminDesk(rooms: Omit<AdminDesk, "caller">): AdminDesk {
  return {
    ...rooms,
    caller({ actor }) {
      assert(actor !== undefined, "an RPC of the admin plane is reached through its gate");
      return actor;
    },
  };
}
