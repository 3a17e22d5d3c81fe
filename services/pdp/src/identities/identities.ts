import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { Authenticate } from "./authenticate.ts";
import { type Caller, comparedFirst, maySpeakFor, stillBoundTo } from "./caller.ts";
import type { Credentials } from "./evidence.ts";
import type { IdentityStore, Loaded } from "./identity-store.ts";
import type { IdentityNews, Keeping, KeptRows } from "./keeping.ts";
import { createKnownSessions } from "./known-sessions.ts";
import type { ProvePrincipal } from "./principals.ts";
import type { Proven } from "./proven.ts";
import { type Session, tokenInvalid } from "./session.ts";
import { keyRetired, type Tokens } from "./tokens.ts";
import type { Issuer, Trust } from "./trust.ts";

/** Who speaks, and for which run: read once, kept, and as new as the newest news. */
export interface Identities {
  /**
   * Who calls, by what the transport heard. Throws a Fault: nobody is anonymous. `anew`: read from the store, so that a
   * revocation that was answered anywhere counts here already.
   */
  authenticate(credentials: Credentials, anew?: boolean): Promise<Caller>;
  /** The session of a token, which this caller may speak for. `late`: a report, whose token may have run out. */
  session(caller: Caller, token: string | undefined, use?: "decide" | "report"): Promise<Session>;
  /** Both of one call, and the oldest security revision that either is known under. `anew` as above. */
  asker(
    credentials: Credentials,
    token: string | undefined,
    use?: "decide" | "report",
    anew?: boolean,
  ): Promise<{ readonly caller: Caller; readonly session: Session; readonly security: bigint }>;
  /** A session as it stands now; for callers that hold its id and not its token. */
  sessionById(caller: Caller, id: string): Promise<Session>;
  sessionByRun(caller: Caller, agent: string, runId: string): Promise<Session | null>;
  callers(tenant: string): Promise<Caller[]>;
  /** The issuers that vouch for a tenant's people. */
  peopleOf(tenant: string): Promise<Issuer[]>;
  readonly provePrincipal: ProvePrincipal;
  /** What a tenant says now of who is to be believed. */
  trust(tenant: string): Promise<Trust>;
  issueToken(session: Session): Promise<{ token: string; expiresAtMs: number }>;
  /** When a session's token runs out, or ran out less than a day ago. */
  tokenExpiry(token: string): Promise<number>;
  /** Sessions that have been closed or revoked. */
  ended(sessionIds: ReadonlySet<string>, state?: "closed" | "revoked"): void;
  /** Takes the news: what they do not name stands as it is kept. */
  heard(news: IdentityNews): void;
  /** Forgets everything that is remembered of a tenant's sessions. */
  forget(tenant: string): void;
  /** Calls back with sessions that have ended, maybe more than once each; answers how to stop that. */
  subscribe(ended: (sessionIds: ReadonlySet<string>, state: "closed" | "revoked") => void): () => void;
}

interface Options {
  readonly store: IdentityStore;
  readonly tokens: Tokens;
  readonly keeping: Keeping;
  readonly sessionsMax: number;
  readonly authenticate: Authenticate;
  /** Every place where callers are kept, by their ids. */
  readonly trust: Proven["trust"];
  readonly keptCallers: readonly Pick<KeptRows<Loaded<Caller>>, "told" | "clear">[];
  readonly provePrincipal: ProvePrincipal;
}

function allowed(caller: Caller, session: Session): Session {
  if (maySpeakFor(caller, session)) return session;
  throw new Fault("forbidden", "session_not_yours", "this session was opened by another caller", {
    field: "remit-session",
    fix: "use the API key that opened the session",
  });
}

function unbound({ name }: Caller, { agent }: Session): Fault {
  return new Fault(
    "forbidden",
    "agent_not_bound",
    `no binding lets the caller ${name} act for ${agent}, or an agent above it, any more`,
    {
      field: "remit-session",
      fix: "ask an owner: `remit bindings list` shows what is given",
    },
  );
}

/** The keeper of what was read: bounded caches whose rows are as new as the newest news. */
export function createIdentities(options: Options): Identities {
  const { store, tokens, keeping, sessionsMax, authenticate, provePrincipal, keptCallers, trust } = options;
  const sessions = createKnownSessions({ store, keeping, sessionsMax });

  const knownSession = async (
    caller: Caller,
    token: string | undefined,
    use: "decide" | "report",
    anew: boolean,
  ): Promise<Loaded<Session>> => {
    if (!token) throw tokenInvalid("no session was named");
    const verified = tokens.verify(token, use === "report" ? limits.lateReportSeconds * 1000 : 0);
    const claims = verified instanceof Promise ? await verified : verified;
    if (claims.tenant !== caller.tenant) throw tokenInvalid("the session's token is not valid");
    const found = sessions.load(claims.tenant, claims.session, anew);
    let entry = found instanceof Promise ? await found : found;
    // A key that was made after the session was read, or one that was retired at once: the store knows which.
    if (!entry.signers.includes(claims.kid)) entry = await sessions.load(claims.tenant, claims.session, true);
    if (!entry.signers.includes(claims.kid)) throw keyRetired();
    allowed(caller, entry.row);
    // What a call did may be told by whoever asked; nothing new is asked for an agent that was taken from its caller.
    if (use === "decide") {
      const compared = comparedFirst(caller, entry.row);
      if (compared) await compared;
      if (!stillBoundTo(caller, entry.row)) throw unbound(caller, entry.row);
    }
    return entry;
  };

  return {
    authenticate: async (credentials, anew = false) => (await authenticate(credentials, anew)).row,
    session: async (caller, token, use = "decide") => (await knownSession(caller, token, use, false)).row,
    async asker(credentials, token, use = "decide", anew = false) {
      const authenticated = authenticate(credentials, anew);
      const caller = authenticated instanceof Promise ? await authenticated : authenticated;
      const session = await knownSession(caller.row, token, use, anew);
      // The two are read at different times: together they are as new as the older.
      const security = caller.security < session.security ? caller.security : session.security;
      return { caller: caller.row, session: session.row, security };
    },
    async sessionById(caller, id) {
      const loaded = await store.session(caller.tenant, id);
      if (!loaded) {
        throw new Fault("missing", "session_unknown", "there is no such session", { field: "session_id" });
      }
      return allowed(caller, loaded.row);
    },
    sessionByRun: (caller, agent, runId) => store.sessionByRun(caller.tenant, caller.id, agent, runId),
    callers: (tenant) => store.callers(tenant),
    trust: async (tenant) => (await trust(tenant, true)).row,
    peopleOf: async (tenant) => (await trust(tenant, false)).row.issuers.filter(({ use }) => use === "people"),
    provePrincipal,
    issueToken: (session) => tokens.issue(session),
    tokenExpiry: async (token) => (await tokens.verify(token, limits.lateReportSeconds * 1000)).expiresAtMs,
    ended: sessions.ended,
    heard({ changed, ...seen }) {
      // First what changed, then the revision that it is known under; nothing waits in between.
      for (const callers of keptCallers) {
        if (changed) callers.told(changed.callers);
        else callers.clear();
      }
      if (changed) sessions.told(changed.sessions);
      else sessions.forget();
      keeping.raise(seen);
    },
    forget: sessions.forget,
    subscribe: sessions.subscribe,
  };
}
