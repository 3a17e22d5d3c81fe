import type { Scope } from "@remit/engine";
import { Fault } from "../foundation/fault.ts";

export type SessionState = "open" | "closed" | "revoked";

/** The human or service on whose behalf an agent acts. */
export interface Principal {
  readonly id: string;
  /** True when a token of a configured issuer proved it; false when its caller asserted it. */
  readonly verified: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** One run of one agent for one principal. */
export interface Session {
  /** UUIDv7. */
  readonly id: string;
  readonly tenant: string;
  readonly agent: string;
  readonly principal: Principal;
  readonly purpose: string;
  /** Undefined: everything that the agent's ceiling allows. */
  readonly scope: Scope | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly runId: string | undefined;
  readonly state: SessionState;
  readonly parent: string | undefined;
  readonly depth: number;
  readonly openedAtMs: number;
  /** No renewal reaches beyond it. */
  readonly expiresAtMs: number;
  /** The caller's id. */
  readonly openedBy: string;
  /** What the caller said of the run: agent_version, model, prompt_digest, framework. */
  readonly details: Readonly<Record<string, string>>;
}

/** Why a session's calls are denied now, or undefined. A denial, not an error: it is recorded. */
export function endedBecause(session: Session, nowMs: number): "session_closed" | "session_revoked" | undefined {
  if (session.state === "revoked") return "session_revoked";
  if (session.state === "closed" || nowMs >= session.expiresAtMs) return "session_closed";
  return undefined;
}

/** A session's state as it is shown, expiry included. */
export function stateAt(session: Session, nowMs: number): SessionState | "expired" {
  return session.state === "open" && nowMs >= session.expiresAtMs ? "expired" : session.state;
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
