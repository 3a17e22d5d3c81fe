import { hash } from "node:crypto";
import { Fault } from "../foundation/fault.ts";
import type { Random } from "../foundation/ids.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { comparedWith, isBoundTo } from "./bound-agents.ts";
import type { ProofKind } from "./evidence.ts";

/** The tenant that a first start makes. Only its callers can administer the tenants of the cell. */
export const FIRST_TENANT = "default";

/**
 * What a caller may do on the admin plane, and `diagnose` on the data plane. `owner` has every other role of its
 * tenant; `cell-operator` is no tenant's to give: it administers tenants, and stands apart from owning one.
 */
export const ROLES = [
  "viewer",
  "diagnose",
  "approver",
  "policy-author",
  "policy-approver",
  "operator",
  "owner",
  "cell-operator",
] as const;
export type Role = (typeof ROLES)[number];

/** A workload that speaks to Remit: an SDK, a gateway, a proxy, a person's command line. Not the agent. */
export interface Caller {
  /** UUID. */
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** Globs over the names of agents that it may open sessions for; none by default. */
  readonly agents: readonly string[];
  readonly mayAssertPrincipals: boolean;
  readonly revoked: boolean;
  readonly createdAtMs: number;
  /** Of one that came by somebody else's word: whose, and on whom. Undefined: it has a key of ours. */
  readonly proof?:
    | { readonly kind: Exclude<ProofKind, "key">; readonly issuer: string; readonly subject: string }
    | undefined;
  /** The caller that made its key, where that is known. */
  readonly createdBy?: string;
  /** Of a person: how others are shown who that is. Personal data, and no identity. */
  readonly person?: Person | undefined;
  /** What that word said this time, and the bindings that it meets now. Never stored. */
  readonly word?: CallerWord | undefined;
}

/** What a person's issuer said of them at first sight; empty where it said nothing. */
export interface Person {
  readonly displayName: string;
  readonly email: string;
}

/** Somebody else's word on a caller, as this call brought it. */
export interface CallerWord {
  /** What bindings call its source. */
  readonly source: string;
  readonly groups: readonly string[];
  /** Names of the bindings that match. */
  readonly bindings: readonly string[];
  /** Undefined where the transport sees to that. */
  readonly expiresAtMs: number | undefined;
}

const KEY_PREFIX = "rmt_";
const KEY = /^rmt_[A-Za-z0-9_-]{43}$/;

/** A new API key: `rmt_` and 256 random bits in base64url. It is shown once and stored as its hash. */
export function newKey(random: Random): string {
  const bytes = Buffer.alloc(32);
  random(bytes);
  return KEY_PREFIX + bytes.toString("base64url");
}

/**
 * The 32 bytes that a key is stored and looked up by. A key has 256 random bits, so a plain hash needs no salt, and
 * looking it up by its hash tells an attacker who measures time nothing about the key.
 */
export function keyHash(key: string): Buffer {
  return hash("sha256", `remit/api-key/v1\n${key}`, "buffer");
}

/** The key in an `authorization` header. */
export function keyFrom(authorization: string | undefined): string {
  if (authorization === undefined || authorization === "") {
    throw new Fault("unauthenticated", "token_invalid", "no API key was sent", {
      field: "authorization",
      fix: "send the header `authorization: Bearer rmt_...`; make a key with `remit keys create`",
    });
  }
  const [scheme, key, ...rest] = authorization.trim().split(/ +/);
  if (scheme?.toLowerCase() !== "bearer" || key === undefined || rest.length > 0 || !KEY.test(key)) {
    throw new Fault("unauthenticated", "token_invalid", "the authorization header does not hold an API key", {
      field: "authorization",
      fix: "send `authorization: Bearer rmt_...`",
    });
  }
  return key;
}

/** Whether a caller has a role, or one that includes it. */
export function hasRole({ tenant, roles }: Pick<Caller, "tenant" | "roles">, role: Role): boolean {
  if (role === "cell-operator") return tenant === FIRST_TENANT && roles.includes(role);
  return roles.includes(role) || roles.includes("owner");
}

/** Refuses a caller without the role. */
export function requireRole(caller: Caller, role: Role): void {
  requireAnyRole(caller, [role]);
}

/** Refuses a caller with none of the roles. */
export function requireAnyRole(caller: Caller, roles: readonly Role[]): void {
  if (roles.some((role) => hasRole(caller, role))) return;
  const giver = roles.every((role) => role === "cell-operator") ? "a cell operator" : "an owner";
  const named = roles.join(" or ");
  throw new Fault("forbidden", "role_missing", `the caller ${caller.name} does not have the role ${named}`, {
    fix: `use a key with the role ${named}, or ask ${giver} for one`,
  });
}

/**
 * Whether a caller may act for its whole tenant. Who comes by a login, a token or a certificate administers as an owner,
 * and acts where its bindings name agents: what a person may decide is not what every agent may do.
 */
const ownsByKey = ({ roles, proof }: Pick<Caller, "roles" | "proof">) => proof === undefined && roles.includes("owner");

/** Whether a caller may ask about a session's calls: only the one that opened it, or an owner of its tenant. */
export function maySpeakFor(caller: Caller, session: { readonly tenant: string; readonly openedBy: string }): boolean {
  return caller.tenant === session.tenant && (caller.id === session.openedBy || ownsByKey(caller));
}

/**
 * Whether a caller may still ask in a session that it opened, for its agent and those of the sessions above it. What a key is bound to never changes; what
 * bindings give to a token or a certificate may have become less since.
 */
export function stillBoundTo(
  caller: Pick<Caller, "agents" | "proof">,
  { agent, ancestors }: { readonly agent: string; readonly ancestors: readonly { readonly agent: string }[] },
): boolean {
  if (caller.proof === undefined) return true;
  // What was handed on under a session goes with what gave that session.
  const { agents } = caller;
  return isBoundTo(agents, agent) && ancestors.every((link) => isBoundTo(agents, link.agent));
}

/** Awaited before `stillBoundTo` where there is something to await: thousands of agents are compared in slices. */
export function comparedFirst(
  { agents, proof }: Pick<Caller, "agents" | "proof">,
  { agent, ancestors }: { readonly agent: string; readonly ancestors: readonly { readonly agent: string }[] },
): Promise<void> | undefined {
  if (proof === undefined) return undefined;
  return comparedWith(agents, [agent, ...ancestors.map((link) => link.agent)], turnOfTheLoop);
}

/** Refuses a caller that is not bound to the agent. */
export async function requireBinding(caller: Caller, agent: string): Promise<void> {
  await comparedWith(caller.agents, [agent], turnOfTheLoop);
  if (ownsByKey(caller) || isBoundTo(caller.agents, agent)) return;
  throw new Fault("forbidden", "agent_not_bound", `the caller ${caller.name} may not open sessions for ${agent}`, {
    field: "agent",
    fix: `use a key that was made with --agent ${agent}`,
  });
}
