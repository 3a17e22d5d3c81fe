import type { IdentityStore, LoadedSession } from "./identity-store.ts";
import type { ChangedRows, Keeping } from "./keeping.ts";
import { tokenInvalid, withEnded } from "./session.ts";

type Heard = (sessionIds: ReadonlySet<string>, state: "closed" | "revoked") => void;

/** Sessions as they were read, each with those above it, and what was heard of them since. */
export interface KnownSessions {
  /**
   * From memory, at once, unless it is not there, or not fresh; `anew`: from the store. Throws a Fault when there is none.
   */
  load(tenant: string, id: string, anew: boolean): LoadedSession | Promise<LoadedSession>;
  /** What changed of them, in the store. */
  told(changed: ChangedRows["sessions"]): void;
  ended(sessionIds: ReadonlySet<string>, state?: "closed" | "revoked"): void;
  /** Forgets all that was read, or all of one tenant. */
  forget(tenant?: string): void;
  subscribe(heard: Heard): () => void;
}

export function createKnownSessions(rooms: {
  readonly store: Pick<IdentityStore, "session">;
  readonly keeping: Keeping;
  readonly sessionsMax: number;
}): KnownSessions {
  const { store, keeping, sessionsMax } = rooms;
  const sessions = keeping.keep<LoadedSession>({
    max: sessionsMax,
    // Whatever befalls a session above befalls it.
    namesOf: ({ row }) => row.ancestors.map(({ id }) => id),
    raise: ({ row }, security) => ({ row, security, signers: keeping.signers() }),
  });
  const watchers = new Set<Heard>();

  // There may be tens of thousands of them: nothing goes over them here.
  const ended = (ids: ReadonlySet<string>, state: "closed" | "revoked" = "closed"): void => {
    if (ids.size === 0) return;
    sessions.told(ids, (entry) => {
      const row = withEnded(entry.row, (id) => (ids.has(id) ? state : undefined));
      return row === entry.row ? entry : { ...entry, row };
    });
    for (const heard of watchers) heard(ids, state);
  };

  return {
    load(tenant, id, anew) {
      const known = (entry: LoadedSession | null): LoadedSession => {
        if (entry?.row.tenant !== tenant) throw tokenInvalid("the session does not exist");
        return entry;
      };
      const found = sessions.find(id, () => store.session(tenant, id), anew);
      return found instanceof Promise ? found.then(known) : known(found);
    },
    told({ open, closed, revoked }) {
      sessions.told(open);
      ended(closed, "closed");
      ended(revoked, "revoked");
    },
    ended,
    forget: sessions.clear,
    subscribe(heard) {
      watchers.add(heard);
      return () => watchers.delete(heard);
    },
  };
}
