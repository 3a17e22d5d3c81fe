import { type Canonicalisable, canonical } from "../foundation/canonical.ts";
import { type Clock, rfc3339, utcDay } from "../foundation/clock.ts";
import { digestBytes } from "../foundation/digest.ts";
import { Fault } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import { idempotencyKey, type Ledger, type NewRecord } from "../ledger/index.ts";
import type { Snapshots } from "../policies/index.ts";

/** The session of entries that are about none. */
export const NO_SESSION = "00000000-0000-0000-0000-000000000000";

/** An RPC of the admin plane, while it is answered. */
export interface Asked {
  /** `remit.v1.PolicyService/ActivatePolicies`. */
  readonly method: string;
  /** Tenants in whose ledgers entries of changes tell of it already. */
  readonly told: Set<string>;
}

/** Whose doing something is. A caller of the admin plane says by which RPC. */
export interface Maker extends Pick<Caller, "id" | "name" | "tenant"> {
  readonly asked?: Asked;
}

/** What the entry of a call on the admin plane says besides who called. */
export interface AdminCall {
  readonly method: string;
  /** `ok`, else the reason that was answered. */
  readonly outcome: string;
  /** What of the request is repeated, by field. */
  readonly about: Readonly<Record<string, Canonicalisable>>;
  readonly traceId: string;
}

/**
 * Records one call in its caller's tenant. `moved`: it was not, since the tenant's security revision moved meanwhile and
 * who calls may not be who they were. Throws where nothing can be recorded.
 */
export type RecordCall = (by: Maker, call: AdminCall) => Promise<"recorded" | "moved">;

const isErased = (error: unknown) => error instanceof Fault && error.reason === "tenant_erased";

export function createRecordCall(rooms: {
  readonly ledger: Pick<Ledger, "record">;
  /** The same without seals: of an erased tenant nothing can be sealed any more. */
  readonly unsealed: Pick<Ledger, "record">;
  readonly snapshots: Pick<Snapshots, "security" | "secured">;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
}): RecordCall {
  const { ledger, unsealed, snapshots, clock, newId } = rooms;
  const entryOf = ({ id: caller, name, tenant }: Maker, { method, outcome, about, traceId }: AdminCall): NewRecord => {
    const nowMs = clock.now();
    const id = newId(nowMs);
    const text = canonical({
      ...{ v: 1, kind: "admin", id, at: rfc3339(nowMs), tenant, method, outcome },
      caller: { id: caller, ...(name !== "" && { name }) },
      ...(Object.keys(about).length > 0 && { about }),
      ...(traceId && { trace_id: traceId }),
    });
    return {
      ...{ id, tenant, session: NO_SESSION, sessionDay: utcDay(nowMs), kind: "admin" },
      key: idempotencyKey("admin_call", id, 1),
      request: digestBytes("request", canonical({ admin_call: id })),
      securityRevision: snapshots.security(tenant),
      digest: digestBytes("entry", text),
      body: Buffer.from(text),
    };
  };
  const record = async (by: Maker, call: AdminCall) => {
    try {
      return await ledger.record(entryOf(by, call));
    } catch (error) {
      if (!isErased(error)) throw error;
      // It is told all the same, without what is of people.
      return unsealed.record(entryOf({ ...by, name: "" }, { ...call, about: {} }));
    }
  };
  return async (by, call) => {
    const { outcome } = await record(by, call);
    if (outcome !== "stale") return "recorded";
    await snapshots.secured(by.tenant);
    return "moved";
  };
}
