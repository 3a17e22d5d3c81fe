import { LRUCache } from "lru-cache";
import { Fault } from "../foundation/fault.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Caller } from "./caller.ts";
import type { Evidence } from "./evidence.ts";
import type { IdentityStore, Loaded } from "./identity-store.ts";
import type { Keeping, KeptRows } from "./keeping.ts";
import { metBy, type Trust } from "./trust.ts";

const TENANTS_MAX = 10_000;
const CALLERS_MAX = 10_000;

/** A caller that has no row yet: what one is made from. */
export type Stranger = Pick<Caller, "tenant" | "name" | "person"> & { readonly proof: NonNullable<Caller["proof"]> };

export interface Proven {
  /**
   * The caller that evidence proves, with the rights that its tenant's bindings give it now; null when they give none.
   * Throws `token_invalid` for one that was revoked. `anew`: from the store, whatever is remembered.
   */
  callerOf(evidence: Evidence, anew: boolean): Promise<Loaded<Caller> | null>;
  /** The same under what its tenant says, read by whoever asks. */
  callerUnder(trust: Loaded<Trust>, evidence: Evidence, anew: boolean): Promise<Loaded<Caller> | null>;
  /** The rows of callers, by their ids. */
  readonly kept: Pick<KeptRows<Loaded<Caller>>, "told" | "clear">;
  /** What a tenant says of who is to be believed. */
  trust(tenant: string, anew: boolean): Promise<Loaded<Trust>>;
}

interface Options {
  readonly store: Pick<IdentityStore, "trust" | "callerBySubject">;
  readonly keeping: Pick<Keeping, "fresh" | "keep">;
  /** Gives a stranger a row, whoever else does so at the same time. */
  readonly sight: (stranger: Stranger) => Promise<void>;
  /** Lets others be answered where there is much to compare. */
  readonly pause?: Pause;
}

/** The fault for evidence that is true and gives no right to call. */
export function notBound({ source, subject }: Pick<Evidence, "source" | "subject">): Fault {
  return new Fault("forbidden", "caller_not_bound", `no binding gives ${subject} of ${source} any right`, {
    fix: "an owner makes one with `remit bindings put`",
  });
}

function revoked({ source, subject }: Evidence): Fault {
  return new Fault("unauthenticated", "token_invalid", `the caller ${subject} of ${source} was revoked`, {
    field: "authorization",
    fix: "ask an owner; a caller is let in again by no token of its own",
  });
}

/** What tenants say, each read once at a time. */
function createTrusts(store: Options["store"]) {
  const held = new LRUCache<string, Loaded<Trust>>({ max: TENANTS_MAX });
  const under = new Map<string, Promise<Loaded<Trust>>>();
  const next = new Map<string, Promise<Loaded<Trust>>>();

  const load = async (tenant: string): Promise<Loaded<Trust>> => {
    const known = held.get(tenant)?.row;
    const loaded = await store.trust(tenant, known);
    // A slower, older read takes nothing from a newer one.
    const newest = held.get(tenant);
    if (!newest || loaded.security >= newest.security) held.set(tenant, loaded);
    return loaded;
  };
  const start = (tenant: string): Promise<Loaded<Trust>> => {
    const started = load(tenant).finally(() => {
      if (under.get(tenant) === started) under.delete(tenant);
    });
    under.set(tenant, started);
    return started;
  };
  const startNext = async (tenant: string, before: Promise<unknown>): Promise<Loaded<Trust>> => {
    await before.catch(() => undefined);
    next.delete(tenant);
    return start(tenant);
  };

  return {
    held: (tenant: string) => held.get(tenant),
    /** Shares a read that is under way; `anew`: one that begins after this call. */
    read(tenant: string, anew: boolean): Promise<Loaded<Trust>> {
      const now = under.get(tenant);
      if (!now) return start(tenant);
      if (!anew) return now;
      let after = next.get(tenant);
      if (!after) {
        after = startNext(tenant, now);
        next.set(tenant, after);
      }
      return after;
    },
  };
}

/** Turns evidence into callers: who it is from its row, what it may from the bindings, never from what is stored of it. */
export function createProven({ store, keeping, sight, pause = turnOfTheLoop }: Options): Proven {
  const trusts = createTrusts(store);
  // What a tenant says is read again after each of its changes, once for all its callers; who they are is told of row by row.
  const callers = keeping.keep<Loaded<Caller>>({
    max: CALLERS_MAX,
    namesOf: ({ row }) => [row.id],
    raise: ({ row }, security) => ({ row, security }),
  });

  const trust = async (tenant: string, anew: boolean): Promise<Loaded<Trust>> => {
    const known = trusts.held(tenant);
    if (!anew && known && keeping.fresh(known)) return known;
    const loaded = await trusts.read(tenant, anew);
    // A read that was under way before the change that it is asked for.
    return anew || keeping.fresh(loaded) ? loaded : trusts.read(tenant, true);
  };

  const sighted = async (evidence: Evidence, anew: boolean): Promise<Loaded<Caller>> => {
    const { tenant, kind, issuer, subject, source, person } = evidence;
    const read = () => store.callerBySubject(tenant, kind, issuer, subject);
    const known = await callers.find(JSON.stringify([tenant, kind, issuer, subject]), read, anew);
    if (known) return known;
    const name = kind === "spiffe" ? subject : `${source}/${subject}`;
    await sight({ tenant, name, proof: { kind, issuer, subject }, person });
    const made = await read();
    if (made) return made;
    throw new Fault("aborted", "session_raced", "the caller could not be recorded", { fix: "ask again" });
  };

  const callerUnder: Proven["callerUnder"] = async (trusted, evidence, anew) => {
    const met = await metBy(trusted.row, evidence, pause);
    if (!met) return null;
    const { row, security } = await sighted(evidence, anew);
    if (row.revoked) throw revoked(evidence);
    // Two reads: together they are as new as the older.
    const older = security < trusted.security ? security : trusted.security;
    const { source, groups, expiresAtMs } = evidence;
    const word = { source, groups, bindings: met.bindings, expiresAtMs };
    return { row: { ...row, ...met.rights, word }, security: older };
  };

  return {
    trust,
    callerUnder,
    kept: callers,
    callerOf: async (evidence, anew) => callerUnder(await trust(evidence.tenant, anew), evidence, anew),
  };
}
