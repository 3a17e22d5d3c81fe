import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import type { Random } from "../foundation/ids.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import {
  type Caller,
  givingRole,
  hasRole,
  type Identities,
  keyHash,
  newKey,
  peopleAmong,
  presently,
  requireRole,
} from "../identities/index.ts";
import type { PolicyStore, Quotas, Tenant, TenantChanges } from "../policies/index.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";

/** Callers that are looked at in one turn of the event loop. */
const LOOKED_AT_ONCE = 100;

/** A tenant that is to be made. */
export interface NewTenant {
  readonly id: string;
  readonly ownerName: string;
  readonly quotas: Quotas;
}

/** Administers tenants, for callers whom that is granted. `id` may be empty for one's own; another takes a cell operator. */
export interface Tenants {
  get(by: Caller, id: string): Promise<Tenant>;
  /** By id, those after this one. */
  list(after: string | undefined, most: number): Promise<Tenant[]>;
  /** Makes a tenant and its owner, whose key is answered and not kept. */
  create(by: Caller, wanted: NewTenant): Promise<{ tenant: Tenant; owner: Caller; key: string }>;
  /** Changes what is given. `revision` is the tenant's, afterwards. */
  update(by: Caller, id: string, set: TenantChanges): Promise<{ tenant: Tenant; revision: bigint }>;
}

function unknown(): Fault {
  return new Fault("missing", "tenant_unknown", "there is no such tenant", {
    field: "tenant",
    fix: "look at `remit tenants list`",
  });
}

function prefixTaken(): Fault {
  return new Fault("conflict", "name_taken", "one of the prefixes is another tenant's", {
    field: "workload_prefixes",
    fix: "take it from the other one first; longer and shorter ones may be another's",
  });
}

/** The tenant meant, which this caller may see. A stranger hears the same whether it exists or not. */
function allowed(by: Caller, id: string): string {
  if (id === "" || id === by.tenant) return by.tenant;
  requireRole(by, "cell-operator");
  return id;
}

/** Refuses what only a cell operator may change of a tenant, and what only its owner may. */
function requireMayUpdate(by: Caller, id: string, { status, quotas, workloadPrefixes }: TenantChanges): void {
  if (hasRole(by, "cell-operator")) return;
  const cells = [status, quotas, workloadPrefixes].some((value) => value !== undefined);
  const ownOnly = id === by.tenant && !cells;
  requireRole(by, ownOnly ? "owner" : "cell-operator");
}

export function createTenants(rooms: {
  readonly policies: PolicyStore;
  readonly identities: Pick<Identities, "callers" | "trust">;
  readonly change: MakeChange;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: (nowMs: number) => string;
}): Tenants {
  const { policies, identities, change, clock, random, newId } = rooms;

  const found = async (id: string): Promise<Tenant> => {
    const tenant = await policies.tenant(id);
    if (tenant) return tenant;
    throw unknown();
  };

  /** Refuses what nobody could undo: there must be as many owners apart from each other. */
  const requirePeople = async (by: Caller, id: string, people: number): Promise<void> => {
    const [all, trust] = await Promise.all([identities.callers(id), identities.trust(id)]);
    // Who asks has just proven what they may; of the others that have no key it is what their subject alone gives.
    const owning = givingRole(trust, "owner");
    const owners: Caller[] = [];
    for (const [at, caller] of all.entries()) {
      const now = caller.id === by.id ? by : await presently(caller, owning, undefined);
      if (now?.roles.includes("owner")) owners.push(caller);
      if (at % LOOKED_AT_ONCE === LOOKED_AT_ONCE - 1) await turnOfTheLoop();
    }
    const there = peopleAmong(owners, all);
    if (there >= people) return;
    const message = `the tenant has ${there} owners who did not make each other's keys`;
    throw new Fault("precondition", "people_too_few", message, {
      field: "people",
      limit: `${there} people`,
      fix: "make keys for more owners first, each by and for another person: remit keys create NAME --role owner",
    });
  };

  return {
    get: (by, id) => found(allowed(by, id)),
    list: policies.tenants,
    async create(by, { id, ownerName, quotas }) {
      const nowMs = clock.now();
      const rights = { roles: ["owner"], agents: ["*"], mayAssertPrincipals: true, revoked: false } as const;
      const owner: Caller = { ...rights, id: newId(nowMs), tenant: id, name: ownerName, createdAtMs: nowMs };
      const key = newKey(random);
      const made = await change(by, { kind: "tenant_created", owner, keyHash: keyHash(key), quotas });
      if (!made.ok) {
        throw new Fault("conflict", "name_taken", `there is a tenant ${id} already`, {
          field: "tenant",
          fix: "choose another id",
        });
      }
      const settings = {
        status: "active",
        mode: "enforce",
        observeAgents: [],
        quotas,
        people: 1,
        workloadPrefixes: [],
        unbudgeted: "deny",
      } as const;
      return { tenant: { ...settings, id, createdAtMs: nowMs }, owner, key };
    },
    async update(by, given, set) {
      const id = given || by.tenant;
      requireMayUpdate(by, id, set);
      if (set.people !== undefined && set.people > 1) await requirePeople(by, id, set.people);
      const made = await change(by, { kind: "tenant_set", tenant: id, set });
      if (!made.ok) throw made.refusal === "exists" ? prefixTaken() : unknown();
      return { tenant: await found(id), revision: revisionNumber(made.value.revisions) };
    },
  };
}
