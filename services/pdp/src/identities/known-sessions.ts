import { LRUCache } from "lru-cache";
import { createDescendants } from "./descendants.ts";
import type { IdentityStore, Loaded, LoadedSession } from "./identity-store.ts";
import { type Session, tokenInvalid, withEnded } from "./session.ts";

const CLOSED_MAX = 100_000;

type Heard = (sessionIds: readonly string[], state: "closed" | "revoked") => void;

/** Sessions as they were last read, each with those above it, and what was heard of them since. */
export interface KnownSessions {
  /** From memory unless it is not there, or not fresh; `anew`: from the store. Throws a Fault when there is none. */
  load(tenant: string, id: string, anew: boolean): Promise<LoadedSession>;
  ended(sessionIds: readonly string[], state?: "closed" | "revoked"): void;
  forget(tenant: string): void;
  subscribe(heard: Heard): () => void;
}

export function createKnownSessions(rooms: {
  readonly store: Pick<IdentityStore, "session">;
  readonly fresh: (entry: Loaded<Session>) => boolean;
  readonly sessionsMax: number;
}): KnownSessions {
  const { store, fresh, sessionsMax } = rooms;
  const descendants = createDescendants();
  const sessions = new LRUCache<string, LoadedSession>({
    max: sessionsMax,
    dispose: ({ row }) => descendants.delete(row),
  });
  const closed = new LRUCache<string, "closed" | "revoked">({ max: CLOSED_MAX });
  const watchers = new Set<Heard>();

  const keep = (entry: LoadedSession): LoadedSession => {
    sessions.set(entry.row.id, entry);
    descendants.add(entry.row);
    return entry;
  };

  const end = (id: string, state: "closed" | "revoked"): void => {
    // Everything under it ends with it.
    for (const known of [id, ...descendants.of(id)]) {
      const entry = sessions.get(known);
      if (!entry) continue;
      const row = withEnded(entry.row, (heard) => (heard === id ? state : undefined));
      if (row !== entry.row) keep({ ...entry, row });
    }
  };

  return {
    async load(tenant, id, anew) {
      const known = sessions.get(id);
      if (!anew && known && known.row.tenant === tenant && fresh(known)) return known;
      const loaded = await store.session(tenant, id);
      if (!loaded) throw tokenInvalid("the session does not exist");
      // A close that was heard of while the row was on its way is not overwritten by the older row.
      return keep({ ...loaded, row: withEnded(loaded.row, (heard) => closed.get(heard)) });
    },
    ended(sessionIds, state = "closed") {
      for (const id of sessionIds) {
        closed.set(id, state);
        end(id, state);
      }
      if (sessionIds.length > 0) for (const heard of watchers) heard(sessionIds, state);
    },
    forget(tenant) {
      for (const [id, entry] of sessions) if (entry.row.tenant === tenant) sessions.delete(id);
    },
    subscribe(heard) {
      watchers.add(heard);
      return () => watchers.delete(heard);
    },
  };
}
