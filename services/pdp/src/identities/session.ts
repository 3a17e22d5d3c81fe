import type { Scope } from "@remit/engine";
import { Fault } from "../foundation/fault.ts";
import type { Act } from "./act.ts";

export type SessionState = "open" | "closed" | "revoked";

/** The human or service on whose behalf an agent acts. */
export interface Principal {
  readonly id: string;
  /** True when a token of a configured issuer proved it; false when its caller asserted it. */
  readonly verified: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a session was given to spend of a unit when it was delegated, by itself and everything below it. */
export interface Given {
  /** The account that is charged for it. */
  readonly account: bigint;
  readonly unit: string;
  /** In millionths. Never changes. */
  readonly limit: bigint;
}

/** A session that another one descends from: what binds everything under it. */
export interface Link {
  /** The session's. */
  readonly id: string;
  readonly agent: string;
  /** Undefined: everything that the agent's ceiling allows. */
  readonly scope: Scope | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: SessionState;
  readonly expiresAtMs: number;
  /** At most one a unit; absent: it was given no budget of its own. */
  readonly given?: readonly Given[] | undefined;
}

/** One run of one agent for one principal. */
export interface Session {
  /** UUIDv7. */
  readonly id: string;
  readonly tenant: string;
  readonly agent: string;
  readonly principal: Principal;
  /** The name of the issuer whose token proved the principal, where one did. */
  readonly principalIssuer?: string | undefined;
  /** Who acted for the principal before this session, as its token says. Kept and recorded, never cut; it gives nothing. */
  readonly act?: Act | undefined;
  readonly purpose: string;
  /** Undefined: everything that the agent's ceiling allows. */
  readonly scope: Scope | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly runId: string | undefined;
  readonly state: SessionState;
  readonly parent: string | undefined;
  /** The sessions above it, the root first and its parent last; none unless it was delegated. Read with it, at once. */
  readonly ancestors: readonly Link[];
  /** How many delegations lead to it: as many as it has ancestors. */
  readonly depth: number;
  readonly openedAtMs: number;
  /** No renewal reaches beyond it. */
  readonly expiresAtMs: number;
  /** The caller's id. */
  readonly openedBy: string;
  /** At most one a unit, read with the session; absent: it was given no budget of its own. */
  readonly given?: readonly Given[] | undefined;
  /** What the caller said of the run: agent_version, model, prompt_digest, framework, and the budgets that it counts on. */
  readonly details: Readonly<Record<string, string>>;
}

/** The session at the top, which decides what its whole chain stands under: itself unless it was delegated. */
export function rootOf({ id, ancestors }: Pick<Session, "id" | "ancestors">): string {
  return ancestors[0]?.id ?? id;
}

/** What ended a session. `delegation_expired`: its time, or that of a session above it. */
export type Ended = "session_closed" | "session_revoked" | "delegation_expired";

/**
 * Why a session's calls are denied now, or undefined. A denial, not an error: it is recorded. Whatever ends a session
 * ends everything under it: what its parent lost, no token of its own gives back.
 */
export function endedBecause(session: Session, nowMs: number): Ended | undefined {
  const { state, ancestors, expiresAtMs } = session;
  if (ancestors.length === 0) {
    if (state === "revoked") return "session_revoked";
    return state === "closed" || nowMs >= expiresAtMs ? "session_closed" : undefined;
  }
  const chain: readonly Pick<Link, "state" | "expiresAtMs">[] = [...ancestors, session];
  if (chain.some((link) => link.state === "revoked")) return "session_revoked";
  if (chain.some((link) => link.state === "closed")) return "session_closed";
  return chain.some((link) => nowMs >= link.expiresAtMs) ? "delegation_expired" : undefined;
}

/** A session with what was heard of it and of those above it since it was read; the very same if that is nothing new. */
export function withEnded(
  session: Session,
  heard: (sessionId: string) => Exclude<SessionState, "open"> | undefined,
): Session {
  const ended = <One extends Pick<Link, "id" | "state">>(one: One): One => {
    const state = one.state === "open" ? heard(one.id) : undefined;
    return state ? { ...one, state } : one;
  };
  const self = ended(session);
  if (session.ancestors.length === 0) return self;
  const ancestors = session.ancestors.map(ended);
  return ancestors.every((link, at) => link === session.ancestors[at]) ? self : { ...self, ancestors };
}

/** A session's state as it is shown, expiry and what ended above it included. */
export function stateAt(session: Session, nowMs: number): SessionState | "expired" {
  switch (endedBecause(session, nowMs)) {
    case undefined:
      return "open";
    case "session_revoked":
      return "revoked";
    case "delegation_expired":
      return "expired";
    case "session_closed":
      return session.depth > 0 || session.state === "closed" ? "closed" : "expired";
  }
}

/** The fault for a token that does not prove a session. */
export function tokenInvalid(message: string, cause?: unknown): Fault {
  return new Fault(
    "unauthenticated",
    "token_invalid",
    message,
    { field: "remit-session", fix: "send the token that OpenSession or RenewSession answered" },
    cause,
  );
}

/** The fault for a token that has run out. */
export function tokenExpired(): Fault {
  return new Fault("unauthenticated", "token_expired", "the session's token has expired", {
    field: "remit-session",
    fix: "call RenewSession with the same API key, then ask again with the same call_id",
  });
}
