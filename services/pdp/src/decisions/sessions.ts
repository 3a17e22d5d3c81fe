import type { Scope } from "@remit/engine";
import { canonical } from "../foundation/canonical.ts";
import type { Clock } from "../foundation/clock.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import {
  type Caller,
  endedBecause,
  type Identities,
  type Principal,
  requireBinding,
  type Session,
} from "../identities/index.ts";
import { type Snapshot, type Snapshots, tenantNotActive } from "../policies/index.ts";
import type { MakeChange } from "./changes.ts";
import { revokedBecause } from "./revoked-call.ts";

/** What a caller asks for when it opens a session, checked for its form. */
export interface Opening {
  readonly agent: string;
  readonly principal: { readonly id: string; readonly labels: Readonly<Record<string, string>> } | undefined;
  readonly purpose: string;
  readonly scope: Scope | undefined;
  readonly lifetimeSeconds: number;
  readonly runId: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly details: Readonly<Record<string, string>>;
}

/** A session and the token that proves it. */
export interface OpenedSession {
  readonly session: Session;
  readonly token: string;
  readonly tokenExpiresAtMs: number;
}

export interface Sessions {
  open(caller: Caller, opening: Opening): Promise<OpenedSession>;
  renew(caller: Caller, sessionId: string): Promise<OpenedSession>;
  get(caller: Caller, sessionId: string): Promise<Session>;
  close(caller: Caller, sessionId: string): Promise<Session>;
}

function principalOf(caller: Caller, opening: Opening): Principal {
  // Nobody to act for: the agent acts for its caller, which has just proved who it is.
  if (!opening.principal) return { id: caller.id, verified: true, labels: {} };
  if (caller.mayAssertPrincipals) return { ...opening.principal, verified: false };
  throw new Fault("forbidden", "principal_not_assertable", `the caller ${caller.name} may not assert principals`, {
    field: "principal",
    fix: "use a key made with --assert-principals, or leave the principal out",
  });
}

/** Refuses to answer one run with the authority of another: whose it is and what it may do must be what was asked for. */
function requireSameRun(before: Session, principal: Principal, scope: Scope | undefined): void {
  const same = canonical({ principal, scope }) === canonical({ principal: before.principal, scope: before.scope });
  if (same) return;
  throw new Fault("conflict", "run_id_reused", "this run was opened before for another principal or scope", {
    field: "run_id",
    fix: "give every run an id of its own",
  });
}

function requireOpen(session: Session, nowMs: number): void {
  const ended = endedBecause(session, nowMs);
  if (!ended) return;
  throw new Fault("precondition", ended, "the session has ended", { fix: "open a new session" });
}

/** Refuses a caller that is not bound to the agent, and an agent that may not act. */
function requireActing({ agents }: Snapshot, caller: Caller, agent: string): void {
  requireBinding(caller, agent);
  const registered = agents.get(agent);
  if (!registered) {
    throw new Fault("missing", "agent_unknown", `no agent ${agent} is registered`, {
      field: "agent",
      fix: "register it with `remit apply`: a document of kind Agent",
    });
  }
  if (registered.spec.status === "suspended") {
    throw new Fault("precondition", "agent_suspended", `the agent ${agent} is suspended`, { field: "agent" });
  }
}

/** The session that is asked for, of the given id. */
function sessionOf(caller: Caller, opening: Opening, id: string, nowMs: number): Session {
  const { lifetimeSeconds, agent, purpose, scope, runId, labels, details } = opening;
  const seconds = lifetimeSeconds || limits.sessionLifetimeDefaultSeconds;
  if (seconds > limits.sessionLifetimeMaxSeconds) {
    throw invalid("max_lifetime_seconds", `a session may not live for ${seconds} seconds`, {
      limit: `${limits.sessionLifetimeMaxSeconds} seconds`,
    });
  }
  const principal = principalOf(caller, opening);
  const base = { id, tenant: caller.tenant, openedBy: caller.id, state: "open", parent: undefined } as const;
  const place = { ancestors: [], depth: 0, openedAtMs: nowMs, expiresAtMs: nowMs + seconds * 1000 };
  return { ...base, ...place, agent, principal, purpose, scope, runId, labels, details };
}

/** Refuses what was revoked, with everything that a session of it could do. */
function requireUnrevoked(snapshot: Snapshot, session: Session): void {
  const found = revokedBecause(snapshot, session);
  if (!found) return;
  throw new Fault("precondition", found.code as "halted", found.message, { fix: "ask an operator" });
}

export function createSessions(rooms: {
  readonly identities: Identities;
  readonly snapshots: Snapshots;
  readonly change: MakeChange;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
}): Sessions {
  const { identities, snapshots, change, clock, newId } = rooms;

  const withToken = async (session: Session): Promise<OpenedSession> => {
    const { token, expiresAtMs } = await identities.issueToken(session);
    return { session, token, tokenExpiresAtMs: expiresAtMs };
  };

  const requireActive = async ({ tenant }: Caller): Promise<Snapshot> => {
    // None of this passes the commit that refuses what was judged too early.
    const snapshot = await snapshots.latest(tenant);
    const { status } = snapshot.settings;
    if (status !== "active") throw tenantNotActive(status);
    return snapshot;
  };
  const requireAgent = async (caller: Caller, agent: string): Promise<Snapshot> => {
    const snapshot = await requireActive(caller);
    requireActing(snapshot, caller, agent);
    return snapshot;
  };

  const found = async (caller: Caller, opening: Opening): Promise<Session | null> =>
    opening.runId === undefined ? null : identities.sessionByRun(caller, opening.agent, opening.runId);

  return {
    async open(caller, opening) {
      const snapshot = await requireAgent(caller, opening.agent);
      const nowMs = clock.now();
      const session = sessionOf(caller, opening, newId(nowMs), nowMs);
      requireUnrevoked(snapshot, session);
      const answer = (before: Session): Promise<OpenedSession> => {
        requireSameRun(before, session.principal, session.scope);
        requireOpen(before, clock.now());
        requireUnrevoked(snapshot, before);
        return withToken(before);
      };
      const before = await found(caller, opening);
      if (before) return answer(before);
      const made = await change(caller, { kind: "session_opened", session });
      if (made.ok) return withToken(session);
      // The same run was opened by a twin of this request in the meantime: its session stands.
      const twin = await found(caller, opening);
      if (!twin) throw new Fault("aborted", "session_raced", "the session could not be opened", { fix: "ask again" });
      return answer(twin);
    },
    async renew(caller, sessionId) {
      const session = await identities.sessionById(caller, sessionId);
      requireOpen(session, clock.now());
      requireUnrevoked(await requireAgent(caller, session.agent), session);
      return withToken(session);
    },
    async get(caller, sessionId) {
      await requireActive(caller);
      return identities.sessionById(caller, sessionId);
    },
    async close(caller, sessionId) {
      const session = await identities.sessionById(caller, sessionId);
      if (session.state !== "open") return session;
      const made = await change(caller, { kind: "session_closed", sessionId });
      // Somebody ended it otherwise in the meantime: that stands.
      if (!made.ok) return identities.sessionById(caller, sessionId);
      identities.ended([sessionId]);
      return { ...session, state: "closed" };
    },
  };
}
