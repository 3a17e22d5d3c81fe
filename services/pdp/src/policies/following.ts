import type { Clock } from "../foundation/clock.ts";
import type { Log } from "../foundation/log.ts";
import { moved } from "./loader.ts";
import type { Revisions } from "./policy-store.ts";
import type { Snapshot } from "./snapshot.ts";

/** How far what is in force here has followed the polls. */
export interface Following {
  /**
   * What a poll saw: loads what has moved, and resolves when it is loaded, or cannot be. `sentAtMs` is when the poll was
   * sent, so staleness is never understated. Newer polls may come meanwhile.
   */
  polled(revisions: ReadonlyMap<string, Revisions>, sentAtMs: number): Promise<void>;
  /** How old the newest word of the store is, whatever became of single tenants. */
  pollAgeMs(): number;
  /** How old what is in force may be: a tenant's, or the oldest of all. */
  stalenessMs(tenant?: string): number;
}

interface Rooms {
  readonly clock: Clock;
  readonly log: Log;
  held(): Iterable<Snapshot>;
  /** Reads a tenant anew and puts it in force, its policies maybe later. */
  secured(tenant: string): Promise<Snapshot>;
  /** Whether policies of the tenant are still being compiled. */
  compiling(tenant: string): boolean;
  /** The revisions of what is being compiled, where that is so. */
  sought(tenant: string): Revisions | undefined;
}

/** Follows the polls, each tenant by itself: one that cannot be loaded grows stale, and the others, and the polls, go on. */
export function createFollowing({ clock, log, held, secured, compiling, sought }: Rooms): Following {
  let polledAtMs = clock.now();
  // What the newest poll saw.
  let newest: ReadonlyMap<string, Revisions> = new Map();
  // Since when what is in force here may be older than what the polls saw.
  const behindSinceMs = new Map<string, number>();
  const underWay = new Map<string, Promise<void>>();

  const follow = async (tenant: string): Promise<void> => {
    for (let seen = newest.get(tenant); seen; seen = newest.get(tenant)) {
      const readAtMs = clock.now();
      try {
        const { revisions } = await secured(tenant);
        const now = newest.get(tenant) ?? seen;
        // Nobody is refused because the newest policies of a big tenant take their time: what was revoked is in force.
        const compiles = compiling(tenant) && now.security <= revisions.security;
        if (compiles || !moved(now, revisions)) {
          behindSinceMs.delete(tenant);
          return;
        }
        if (!moved(now, seen)) return;
        // It moved again while it was loaded. What is in force is as new as that load.
        behindSinceMs.set(tenant, readAtMs);
      } catch (error) {
        log.warn({ tenant, error }, "a change of the policies cannot be loaded; they grow old until it can");
        return;
      }
    }
  };

  const start = (tenant: string, sentAtMs: number): Promise<void> => {
    if (!behindSinceMs.has(tenant)) behindSinceMs.set(tenant, sentAtMs);
    const under = underWay.get(tenant);
    if (under) return under;
    const started = follow(tenant).finally(() => underWay.delete(tenant));
    underWay.set(tenant, started);
    return started;
  };

  return {
    async polled(revisions, sentAtMs) {
      polledAtMs = Math.max(polledAtMs, sentAtMs);
      newest = revisions;
      const behind: Promise<void>[] = [];
      for (const { tenant, revisions: known } of held()) {
        const seen = revisions.get(tenant);
        // What is being compiled was read, and what it took is in force: it is not read again with every poll.
        if (seen && moved(seen, sought(tenant) ?? known)) behind.push(start(tenant, sentAtMs));
        else behindSinceMs.delete(tenant);
      }
      await Promise.all(behind);
    },
    pollAgeMs: () => Math.max(0, clock.now() - polledAtMs),
    stalenessMs(tenant) {
      let sinceMs = polledAtMs;
      if (tenant !== undefined) sinceMs = Math.min(sinceMs, behindSinceMs.get(tenant) ?? sinceMs);
      else for (const behindMs of behindSinceMs.values()) sinceMs = Math.min(sinceMs, behindMs);
      return Math.max(0, clock.now() - sinceMs);
    },
  };
}
