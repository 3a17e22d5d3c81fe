import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import type { Random } from "../foundation/ids.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import {
  type Caller,
  FIRST_TENANT,
  givingRole,
  type Identities,
  keyHash,
  newKey,
  presently,
  requireRole,
  type Trust,
} from "../identities/index.ts";
import type { ChangeStore } from "./change-store.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";

const CELL_OPERATOR = "cell-operator";

/** Callers that are looked at in one turn of the event loop. */
const LOOKED_AT_ONCE = 100;

type Wanted = Pick<Caller, "name" | "roles" | "agents" | "mayAssertPrincipals"> & { readonly keyHash?: Uint8Array };

export interface Keys {
  /**
   * Makes a caller with a new key, which is answered and not kept, or with the hash of a key that somebody else has made:
   * then `key` is empty. Only a cell operator makes another.
   */
  create(by: Caller, wanted: Wanted): Promise<{ readonly caller: Caller; readonly key: string }>;
  revoke(by: Caller, callerId: string): Promise<{ readonly caller: Caller; readonly revision: bigint }>;
  /** In an empty store: the first tenant and its owner's key. Else undefined. */
  bootstrap(): Promise<string | undefined>;
}

/** Whoever owns a tenant does not own the cell, and the cell is not left to nobody. */
function requireMayEnd(by: Caller, caller: Caller, all: readonly Caller[]): void {
  requireRole(by, CELL_OPERATOR);
  const isAnother = ({ id, roles, revoked }: Caller) => id !== caller.id && roles.includes(CELL_OPERATOR) && !revoked;
  if (caller.revoked || all.some(isAnother)) return;
  throw new Fault("precondition", "last_cell_operator", "nobody else could administer the tenants of this cell", {
    field: "caller_id",
    fix: "make another key with --role cell-operator first",
  });
}

/** A tenant is not left to nobody: without an owner nobody could ever make another. */
async function refuseLastOwner(caller: Caller, all: readonly Caller[], trust: Trust): Promise<void> {
  const owning = givingRole(trust, "owner");
  const owns = (rights: Pick<Caller, "roles"> | undefined) => rights?.roles.includes("owner") ?? false;
  if (caller.revoked || !owns(await presently(caller, owning, undefined))) return;
  for (const [at, one] of all.entries()) {
    if (one.id !== caller.id && owns(await presently(one, owning, undefined))) return;
    if (at % LOOKED_AT_ONCE === LOOKED_AT_ONCE - 1) await turnOfTheLoop();
  }
  // Whom a group makes an owner only their token says. That there is one is the word of who wrote the binding.
  if (trust.bindings.some((binding) => binding.group !== undefined && owns(binding))) return;
  throw new Fault("precondition", "last_owner", "nobody else owns this tenant: nobody could make another owner", {
    field: "caller_id",
    fix: "make another key with --role owner first",
  });
}

export function createKeys(rooms: {
  readonly store: ChangeStore;
  readonly change: MakeChange;
  readonly identities: Identities;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: (nowMs: number) => string;
}): Keys {
  const { store, change, identities, clock, random, newId } = rooms;
  const make = (tenant: string, { name, roles, agents, mayAssertPrincipals }: Wanted): Caller => {
    const nowMs = clock.now();
    const rights = { roles, agents, mayAssertPrincipals };
    return { name, ...rights, id: newId(nowMs), tenant, revoked: false, createdAtMs: nowMs };
  };
  return {
    async create(by, wanted) {
      if (wanted.roles.includes(CELL_OPERATOR)) requireRole(by, CELL_OPERATOR);
      const caller = { ...make(by.tenant, wanted), createdBy: by.id };
      const key = wanted.keyHash ? "" : newKey(random);
      const made = await change(by, { kind: "key_created", caller, keyHash: wanted.keyHash ?? keyHash(key) });
      if (made.ok) return { caller, key };
      throw new Fault("conflict", "name_taken", `there is a caller named ${wanted.name} already`, {
        field: "name",
        fix: "choose another name, or revoke that caller's key first",
      });
    },
    async revoke(by, callerId) {
      const [all, trust] = await Promise.all([identities.callers(by.tenant), identities.trust(by.tenant)]);
      const caller = all.find(({ id }) => id === callerId);
      if (!caller) throw new Fault("missing", "caller_unknown", "there is no such caller", { field: "caller_id" });
      // Who has no key has what bindings give to its subject. What groups would add, only its own token says.
      if ((await presently(caller, trust, undefined))?.roles.includes(CELL_OPERATOR)) requireMayEnd(by, caller, all);
      await refuseLastOwner(caller, all, trust);
      const made = await change(by, { kind: "key_revoked", callerId });
      if (!made.ok) throw new Fault("missing", "caller_unknown", "there is no such caller", { field: "caller_id" });
      return { caller: { ...caller, revoked: true }, revision: revisionNumber(made.value.revisions) };
    },
    async bootstrap() {
      if (!(await store.isEmpty())) return undefined;
      const key = newKey(random);
      const all = { agents: ["*"], mayAssertPrincipals: true };
      const owner = make(FIRST_TENANT, { name: "owner", roles: ["owner", CELL_OPERATOR], ...all });
      const made = await change(owner, { kind: "tenant_created", owner, keyHash: keyHash(key), quotas: {} });
      // A twin that started at the same moment was first: its key was printed there.
      return made.ok ? key : undefined;
    },
  };
}
