import type { Session } from "./session.ts";

/** Which of the sessions that are remembered stand under another one, so that its end reaches them. */
export interface Descendants {
  add(session: Pick<Session, "id" | "ancestors">): void;
  delete(session: Pick<Session, "id" | "ancestors">): void;
  /** Ids of the remembered sessions below one; they were read at some time, and may be gone from memory since. */
  of(sessionId: string): readonly string[];
}

export function createDescendants(): Descendants {
  const below = new Map<string, Set<string>>();
  return {
    add({ id, ancestors }) {
      for (const above of ancestors) {
        const known = below.get(above.id);
        if (known) known.add(id);
        else below.set(above.id, new Set([id]));
      }
    },
    delete({ id, ancestors }) {
      for (const above of ancestors) {
        const known = below.get(above.id);
        known?.delete(id);
        if (known?.size === 0) below.delete(above.id);
      }
    },
    of: (sessionId) => [...(below.get(sessionId) ?? [])],
  };
}
