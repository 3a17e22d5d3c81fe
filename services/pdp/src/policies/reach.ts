import type { Revisions } from "./policy-store.ts";
import { revisionReached, type Snapshot } from "./snapshot.ts";

/** How long a revision that is not here yet is waited for before the store is asked. */
const WAIT_MS = 50;

interface Rooms {
  current(tenant: string): Promise<Snapshot> | Snapshot;
  refresh(tenant: string): Promise<Snapshot>;
  subscribe(swapped: (snapshot: Snapshot) => void): () => void;
  /** A tenant's counters in the store: one row. */
  stored(tenant: string): Promise<Revisions>;
  now(): number;
  /** Calls back later; answers how to stop that. */
  after(ms: number, run: () => void): () => void;
}

const sum = ({ security, policy }: Revisions) => security + policy;

/**
 * Reaches for a revision: what is in force if it is new enough, else what arrives within a moment, else what the store
 * has. Whoever names a revision of the far future costs the store one row, shared by all who asked before it was read,
 * and no load.
 */
export function createReach(rooms: Rooms): (tenant: string, revision: bigint) => Promise<Snapshot> {
  const { current, refresh, subscribe, stored, now, after } = rooms;
  const looks = new Map<string, { readonly atMs: number; readonly found: Promise<Revisions> }>();

  /** What the store has, read after the given moment. */
  const look = (tenant: string, sinceMs: number): Promise<Revisions> => {
    const last = looks.get(tenant);
    if (last && last.atMs > sinceMs) return last.found;
    const started = { atMs: now(), found: stored(tenant) };
    looks.set(tenant, started);
    // Kept while it may still be shared.
    after(WAIT_MS, () => {
      if (looks.get(tenant) === started) looks.delete(tenant);
    });
    return started.found;
  };

  const arrival = (tenant: string, revision: bigint): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        stop();
        cancel();
        resolve();
      };
      const stop = subscribe((snapshot) => {
        if (snapshot.tenant === tenant && revisionReached(snapshot) >= revision) done();
      });
      const cancel = after(WAIT_MS, done);
    });

  return async (tenant, revision) => {
    const askedAtMs = now();
    const first = await current(tenant);
    if (revisionReached(first) >= revision) return first;
    await arrival(tenant, revision);
    const second = await current(tenant);
    if (revisionReached(second) >= revision) return second;
    const there = await look(tenant, askedAtMs);
    return sum(there) >= revision ? refresh(tenant) : second;
  };
}
