import type { Scope } from "@remit/engine";
import type { Balance, BudgetStore } from "../budgets/index.ts";
import type { Amount } from "../foundation/amount.ts";
import type { Clock } from "../foundation/clock.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import {
  type Caller,
  type Identities,
  type ProvedPrincipal,
  requireBinding,
  type Session,
} from "../identities/index.ts";
import { type Snapshot, type Snapshots, tenantNotActive } from "../policies/index.ts";
import type { Asker } from "./ask.ts";
import { barredChain } from "./chain.ts";
import type { MakeChange } from "./changes.ts";
import { type Delegation, delegated, sameDelegation } from "./delegate.ts";
import { revokedBecause } from "./revoked-call.ts";
import { requireBudgets } from "./session-budgets.ts";

/** What a caller asks for when it opens a session, checked for its form. */
export interface Opening {
  readonly agent: string;
  /** Asserted, or what a token of an issuer says. */
  readonly principal:
    | { readonly id: string; readonly labels: Readonly<Record<string, string>> }
    | { readonly token: string }
    | undefined;
  readonly purpose: string;
  readonly scope: Scope | undefined;
  readonly lifetimeSeconds: number;
  readonly runId: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly details: Readonly<Record<string, string>>;
  /** Names of budgets that must bind it, or it is not opened. */
  readonly budgets: readonly string[];
}

/** A session, and the books of what it was given to spend. */
export interface SeenSession {
  readonly session: Session;
  readonly balances: readonly Balance[];
}

/** A session and the token that proves it. */
export interface OpenedSession extends SeenSession {
  readonly token: string;
  readonly tokenExpiresAtMs: number;
}

export interface Sessions {
  open(caller: Caller, opening: Opening): Promise<OpenedSession>;
  renew(caller: Caller, sessionId: string): Promise<OpenedSession>;
  /** Opens a session under another one that the caller speaks for. */
  delegate(asker: Pick<Asker, "caller" | "session">, delegation: Delegation): Promise<OpenedSession>;
  get(caller: Caller, sessionId: string): Promise<SeenSession>;
  close(caller: Caller, sessionId: string): Promise<SeenSession>;
}

/** For whom a session is, and for how long at most. */
type For = Pick<ProvedPrincipal, "principal"> & Partial<ProvedPrincipal>;

async function principalOf(caller: Caller, { principal }: Opening, prove: Identities["provePrincipal"]): Promise<For> {
  // Nobody to act for: the agent acts for its caller, which has just proved who it is.
  if (!principal) return { principal: { id: caller.id, verified: true, labels: {} } };
  if ("token" in principal) return prove(caller, principal.token);
  if (caller.mayAssertPrincipals) return { principal: { ...principal, verified: false } };
  throw new Fault("forbidden", "principal_not_assertable", `the caller ${caller.name} may not assert principals`, {
    field: "principal",
    fix: "use a key made with --assert-principals, or leave the principal out",
  });
}

/** Refuses to answer one run with the authority of another: whose it is and what it may do must be what was asked for. */
function requireSameRun(before: Session, session: Session, budget: readonly Amount[]): void {
  if (sameDelegation(before, session, budget)) return;
  throw new Fault(
    "conflict",
    "run_id_reused",
    "this run was opened before for another principal, scope, budget or session",
    {
      field: "run_id",
      fix: "give every run an id of its own",
    },
  );
}

/** Refuses what a session can no longer be asked for, its whole chain looked at. */
function requireOpen(snapshot: Snapshot, session: Session, nowMs: number): void {
  const bar = barredChain(snapshot, session, nowMs);
  if (!bar) return;
  const reason = bar.code as
    | "session_closed"
    | "session_revoked"
    | "delegation_expired"
    | "agent_suspended"
    | "depth_exceeded";
  const fix = session.depth > 0 ? "have it delegated again" : "open a new session";
  throw new Fault("precondition", reason, bar.message, { fix });
}

/** Refuses a caller that is not bound to the agent, and an agent that may not act. */
async function requireActing({ agents }: Snapshot, caller: Caller, agent: string): Promise<void> {
  await requireBinding(caller, agent);
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
function sessionOf(caller: Caller, opening: Opening, whom: For, id: string, nowMs: number): Session {
  const { lifetimeSeconds, agent, purpose, scope, runId, labels, details } = opening;
  const { sessionSecondsMax = limits.sessionLifetimeMaxSeconds, principal, principalIssuer, act } = whom;
  const seconds = lifetimeSeconds || Math.min(limits.sessionLifetimeDefaultSeconds, sessionSecondsMax);
  if (principalIssuer !== undefined && seconds > sessionSecondsMax) {
    throw invalid("max_lifetime_seconds", `a session for a principal of ${principalIssuer} may not live that long`, {
      limit: `${sessionSecondsMax} seconds`,
    });
  }
  if (seconds > limits.sessionLifetimeMaxSeconds) {
    throw invalid("max_lifetime_seconds", `a session may not live for ${seconds} seconds`, {
      limit: `${limits.sessionLifetimeMaxSeconds} seconds`,
    });
  }
  const proved = { ...(principalIssuer !== undefined && { principalIssuer }), ...(act && { act }) };
  const base = { id, tenant: caller.tenant, openedBy: caller.id, state: "open", parent: undefined } as const;
  const place = { ancestors: [], depth: 0, openedAtMs: nowMs, expiresAtMs: nowMs + seconds * 1000 };
  return { ...base, ...place, ...proved, agent, principal, purpose, scope, runId, labels, details };
}

/** Refuses what was revoked, with everything that a session of it could do. */
function requireUnrevoked(snapshot: Snapshot, session: Session): void {
  const found = revokedBecause(snapshot, session);
  if (!found) return;
  throw new Fault("precondition", found.code as "halted", found.message, { fix: "ask an operator" });
}

function raced(kind: "session_opened" | "session_delegated"): Fault {
  if (kind === "session_opened") {
    return new Fault("aborted", "session_raced", "the session could not be opened", { fix: "ask again" });
  }
  return new Fault("precondition", "session_closed", "a session of the chain ended in the meantime", {
    fix: "open a new session",
  });
}

interface Rooms {
  readonly identities: Identities;
  readonly snapshots: Snapshots;
  readonly change: MakeChange;
  readonly books: Pick<BudgetStore, "balances">;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
}

/** Ends a session, once. */
function closing({ identities, change }: Pick<Rooms, "identities" | "change">) {
  return async (caller: Caller, sessionId: string): Promise<Session> => {
    const session = await identities.sessionById(caller, sessionId);
    if (session.state !== "open") return session;
    const made = await change(caller, { kind: "session_closed", sessionId });
    // Somebody ended it otherwise in the meantime: that stands.
    if (!made.ok) return identities.sessionById(caller, sessionId);
    identities.ended(new Set([sessionId]));
    return { ...session, state: "closed" };
  };
}

/** What answers sessions: with their books, with a token, and each run once. */
function answering({ identities, change, books, clock }: Rooms) {
  const seen = async (session: Session): Promise<SeenSession> => {
    const { tenant, given = [] } = session;
    const accounts = given.map(({ account }) => account);
    return { session, balances: accounts.length === 0 ? [] : await books.balances(tenant, accounts) };
  };
  const withToken = async (session: Session): Promise<OpenedSession> => {
    const { token, expiresAtMs: tokenExpiresAtMs } = await identities.issueToken(session);
    return { ...(await seen(session)), token, tokenExpiresAtMs };
  };

  const found = async (caller: Caller, { agent, runId }: Session): Promise<Session | null> =>
    runId === undefined ? null : identities.sessionByRun(caller, agent, runId);

  /** Makes the session, or answers the one that the same run made before. */
  const openedOnce = async (
    snapshot: Snapshot,
    caller: Caller,
    kind: "session_opened" | "session_delegated",
    session: Session,
    budget: readonly Amount[] = [],
  ): Promise<OpenedSession> => {
    const answer = (before: Session): Promise<OpenedSession> => {
      requireSameRun(before, session, budget);
      requireOpen(snapshot, before, clock.now());
      requireUnrevoked(snapshot, before);
      return withToken(before);
    };
    requireUnrevoked(snapshot, session);
    const before = await found(caller, session);
    if (before) return answer(before);
    const made = await change(caller, { kind, session, ...(budget.length > 0 && { budget }) });
    // The accounts of what it was given have their numbers from the store.
    if (made.ok) return withToken(budget.length > 0 ? await identities.sessionById(caller, session.id) : session);
    // The same run was opened by a twin of this request in the meantime: its session stands.
    const twin = await found(caller, session);
    if (!twin) throw raced(kind);
    return answer(twin);
  };

  return { seen, withToken, openedOnce };
}

export function createSessions(rooms: Rooms): Sessions {
  const { identities, snapshots, clock, newId } = rooms;
  const { seen, withToken, openedOnce } = answering(rooms);
  const close = closing(rooms);

  const requireActive = async ({ tenant }: Caller): Promise<Snapshot> => {
    // None of this passes the commit that refuses what was judged too early.
    const snapshot = await snapshots.latest(tenant);
    if (snapshot.settings.status !== "active") throw tenantNotActive(snapshot.settings.status);
    return snapshot;
  };
  return {
    async open(caller, opening) {
      const snapshot = await requireActive(caller);
      await requireActing(snapshot, caller, opening.agent);
      const whom = await principalOf(caller, opening, identities.provePrincipal);
      const nowMs = clock.now();
      const session = sessionOf(caller, opening, whom, newId(nowMs), nowMs);
      requireBudgets(snapshot, session, opening.budgets);
      return openedOnce(snapshot, caller, "session_opened", session);
    },
    async delegate({ caller, session: parent }, delegation) {
      const snapshot = await requireActive(caller);
      const nowMs = clock.now();
      requireOpen(snapshot, parent, nowMs);
      await requireActing(snapshot, caller, delegation.agent);
      const id = newId(nowMs);
      return openedOnce(
        snapshot,
        caller,
        "session_delegated",
        delegated(snapshot, caller, parent, delegation, id, nowMs),
        delegation.budget,
      );
    },
    async renew(caller, sessionId) {
      const session = await identities.sessionById(caller, sessionId);
      const snapshot = await requireActive(caller);
      requireOpen(snapshot, session, clock.now());
      requireUnrevoked(snapshot, session);
      await requireActing(snapshot, caller, session.agent);
      return withToken(session);
    },
    async get(caller, sessionId) {
      await requireActive(caller);
      return seen(await identities.sessionById(caller, sessionId));
    },
    close: async (caller, sessionId) => seen(await close(caller, sessionId)),
  };
}
