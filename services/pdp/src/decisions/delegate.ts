import { type Scope, type ScopeExcess, scopeExcesses } from "@remit/engine";
import { type Amount, formatAmount } from "../foundation/amount.ts";
import { type Canonicalisable, canonical } from "../foundation/canonical.ts";
import { rfc3339 } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { Caller, Link, Session } from "../identities/index.ts";
import type { Snapshot } from "../policies/index.ts";
import { delegationDepthMax, linksOf, tooDeep } from "./chain.ts";

/** What a caller asks for when it delegates, checked for its form. */
export interface Delegation {
  readonly agent: string;
  /** Without an expiry it ends with its parent's. */
  readonly scope: Scope;
  readonly purpose: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly runId: string | undefined;
  /** 0: as long as the parent. */
  readonly lifetimeSeconds: number;
  readonly details: Readonly<Record<string, string>>;
  /** What the session and everything below it may spend, at most one amount a unit: accounts of its own. */
  readonly budget: readonly Amount[];
}

/** What a session may hand over: its scope; without one, all that its agent may have. */
function handsOver(snapshot: Snapshot, { agent, scope }: Session): Scope {
  return scope ?? snapshot.agents.get(agent)?.spec.ceiling ?? { tools: [] };
}

/** The scope that is asked for, ending no later than the one above it where it does not say when. */
function narrowed(asked: Scope, above: Scope): Scope {
  return asked.expiresAt === undefined && above.expiresAt !== undefined
    ? { ...asked, expiresAt: above.expiresAt }
    : asked;
}

function shown({ place, asked, allowed }: ScopeExcess): string {
  return `${place}${asked === "" ? "" : ` (${asked})`} exceeds what may be handed over: ${allowed}`;
}

/** Names everything that the scope asks for beyond what its parent has. */
function scopeExceeded(excesses: readonly ScopeExcess[]): Fault {
  const named = excesses.slice(0, limits.scopeExcessesShownMax);
  const more = excesses.length - named.length;
  const message = `${named.map(shown).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
  const [{ place, allowed }] = named as [ScopeExcess];
  const field = place === "scope" ? place : `scope.${place}`;
  return new Fault("forbidden", "scope_exceeded", message, {
    ...{ field, limit: allowed },
    fix: "ask for no more than the delegating session has, which GetSession shows",
  });
}

/** Refuses to give more of a unit than the nearest session of the chain was given itself. */
function requireWithin(parent: Session, budget: readonly Amount[]): void {
  const chain = [parent, ...parent.ancestors.toReversed()];
  const above = (unit: string) => chain.flatMap(({ given = [] }) => given).find((one) => one.unit === unit)?.limit;
  const excesses = budget.flatMap(({ unit, micros }) => {
    const most = above(unit);
    return most === undefined || micros <= most
      ? []
      : [{ unit, asked: formatAmount(micros), most: formatAmount(most) }];
  });
  const [first] = excesses;
  if (!first) return;
  const told = excesses.map(
    ({ unit, asked, most }) => `budget (${asked} ${unit}) exceeds what may be handed over: ${most}`,
  );
  throw new Fault("forbidden", "scope_exceeded", told.join("; "), {
    ...{ field: "budget", limit: `${first.most} ${first.unit}` },
    fix: "ask for no more than the delegating session was given, which GetSession shows",
  });
}

function depthExceeded(snapshot: Snapshot): Fault {
  const most = delegationDepthMax(snapshot);
  return new Fault("precondition", "depth_exceeded", "this session may not be delegated any further", {
    limit: `${most} delegations, or what max_depth of a scope or ceiling above says`,
    fix: "have the work done by the agent that has it, or open the first session with a greater max_depth",
  });
}

/** An agent that hands work to itself, or back to one it came from, gains nothing by it and hides who did it. */
function requireOther(parent: Session, agent: string): void {
  if (linksOf(parent).every((link) => link.agent !== agent)) return;
  throw new Fault("precondition", "delegation_circular", `the work comes from ${agent} already`, {
    field: "agent",
    fix: "delegate to an agent that is not in the chain",
  });
}

/** The session that a delegation asks for, or the Fault that says why there is none. Pure. */
export function delegated(
  snapshot: Snapshot,
  caller: Caller,
  parent: Session,
  asked: Delegation,
  id: string,
  nowMs: number,
): Session {
  const { agent, purpose, labels, runId, details, lifetimeSeconds } = asked;
  requireOther(parent, agent);
  const depth = parent.depth + 1;
  if (tooDeep(snapshot, linksOf(parent), depth)) throw depthExceeded(snapshot);
  const above = handsOver(snapshot, parent);
  const scope = narrowed(asked.scope, above);
  const excesses = scopeExcesses(scope, above, { principal: parent.principal.id, deeper: 1 });
  if (excesses.length > 0) throw scopeExceeded(excesses);
  requireWithin(parent, asked.budget);
  const lifeMs = lifetimeSeconds === 0 ? Number.POSITIVE_INFINITY : lifetimeSeconds * 1000;
  const endMs = Math.min(parent.expiresAtMs, nowMs + lifeMs);
  // When a scope ends, so does what was opened by it.
  const scopeEndMs = scope.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(scope.expiresAt);
  const expiresAtMs = Math.min(endMs, scopeEndMs);
  if (expiresAtMs <= nowMs) {
    throw new Fault("precondition", "delegation_expired", "the delegation would be over before it began", {
      field: "scope.expires_at",
      fix: `send a time after ${rfc3339(nowMs)}`,
    });
  }
  const { tenant, principal, principalIssuer, act } = parent;
  const self: Link = {
    ...{ id: parent.id, agent: parent.agent, scope: parent.scope, labels: parent.labels },
    ...{ state: parent.state, expiresAtMs: parent.expiresAtMs },
    ...(parent.given && { given: parent.given }),
  };
  return {
    ...{ id, tenant, agent, principal, purpose, scope, labels, runId, details, depth, expiresAtMs },
    ...{ state: "open", parent: parent.id, ancestors: [...parent.ancestors, self] },
    ...{ openedAtMs: nowMs, openedBy: caller.id },
    // Who proved the principal, and who had acted for it, is so for every session under the first.
    ...(principalIssuer !== undefined && { principalIssuer }),
    ...(act && { act }),
  };
}

/** Whether a session that was found is what this delegation would make: the same work of the same parent. */
export function sameDelegation(before: Session, session: Session, budget: readonly Amount[] = []): boolean {
  const told = ({ parent, principal, principalIssuer, act, scope }: Session, given: readonly string[]) =>
    canonical({ parent, principal, issuer: principalIssuer, act, scope, given: given.toSorted() } as Canonicalisable);
  const had = (before.given ?? []).map(({ unit, limit }) => `${limit} ${unit}`);
  return (
    told(before, had) ===
    told(
      session,
      budget.map(({ unit, micros }) => `${micros} ${unit}`),
    )
  );
}
