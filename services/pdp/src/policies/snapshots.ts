import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import type { Log } from "../foundation/log.ts";
import type { PolicyStore, Revisions } from "./policy-store.ts";
import { createReach } from "./reach.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";

/** How old the newest word of the store may be before a decision is refused, by what the tool can do. */
export const STALE_WRITE_MS = 2_000;
export const STALE_ANY_MS = 10_000;

/** The snapshots in force, one a tenant, and how fresh they are. */
export interface Snapshots {
  /** The snapshot in force, loading it when this process has not needed the tenant yet. */
  current(tenant: string): Promise<Snapshot> | Snapshot;
  /** The snapshot in force, if this process has one of the tenant. */
  held(tenant: string): Snapshot | undefined;
  /** Calls back after every swap; answers how to stop that. */
  subscribe(swapped: (snapshot: Snapshot) => void): () => void;
  /** One at least as new as the store's revisions are now. */
  refresh(tenant: string): Promise<Snapshot>;
  /** The security revision known of a tenant; 0 before anything is known. */
  security(tenant: string): bigint;
  /** What a poll saw: loads what has moved. `sentAtMs` is when the poll was sent, so staleness is never understated. */
  polled(revisions: ReadonlyMap<string, Revisions>, sentAtMs: number): Promise<void>;
  /** How old the newest word of the store is, whatever became of single tenants. */
  pollAgeMs(): number;
  /** How old what is in force may be: a tenant's, or the oldest of all. */
  stalenessMs(tenant?: string): number;
  /**
   * One whose revision, the sum of both counters, is at least the given one: waits a moment for it to arrive by itself,
   * then asks the store. Answers the newest there is when there is none: asking for the future costs the store one row.
   */
  reach(tenant: string, revision: bigint): Promise<Snapshot>;
  /** Tenants whose newest policies do not compile; `usable` is false where nothing is decided therefore. */
  broken(): Pick<Snapshot, "tenant" | "usable">[];
  revisions(): ReadonlyMap<string, Revisions>;
}

const moved = (seen: Revisions, held: Revisions) => seen.security > held.security || seen.policy > held.policy;

interface Options {
  readonly store: Pick<PolicyStore, "load" | "revisions">;
  readonly clock: Clock;
  readonly log: Log;
  /** Calls back later; answers how to stop that. */
  readonly after?: (ms: number, run: () => void) => () => void;
}

function systemAfter(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

export function createSnapshots({ store, clock, log, after = systemAfter }: Options): Snapshots {
  const held = new Map<string, Snapshot>();
  const loading = new Map<string, Promise<Snapshot>>();
  const watchers = new Set<(snapshot: Snapshot) => void>();
  let polledAtMs = clock.now();
  // When a poll first saw what this process has not been able to load since.
  const behindSinceMs = new Map<string, number>();

  const load = async (tenant: string): Promise<Snapshot> => {
    const rows = await store.load(tenant);
    const last = held.get(tenant);
    // A slower, older load never takes the place of a newer one.
    if (last && !moved(rows.revisions, last.revisions)) return last;
    const snapshot = buildSnapshot(tenant, rows, last);
    if (snapshot.broken) {
      log.error(
        { tenant, policy: rows.revisions.policy.toString(), problem: snapshot.broken[0]?.message },
        snapshot.usable
          ? "the newest policies do not compile; the last good ones stay in force"
          : "the stored policies do not compile; nothing of this tenant is decided until they are mended",
      );
    }
    held.set(tenant, snapshot);
    for (const swapped of watchers) swapped(snapshot);
    return snapshot;
  };

  /** Catches up with a poll. One tenant that cannot be loaded grows stale; the others, and the poll, go on. */
  const follow = async (tenant: string, seen: Revisions, sentAtMs: number): Promise<void> => {
    if (!behindSinceMs.has(tenant)) behindSinceMs.set(tenant, sentAtMs);
    try {
      const loaded = await refresh(tenant);
      if (!moved(seen, loaded.revisions)) behindSinceMs.delete(tenant);
    } catch (error) {
      log.warn({ tenant, error }, "a change of the policies cannot be loaded; they grow old until it can");
    }
  };

  const loadOnce = (tenant: string): Promise<Snapshot> => {
    const under = loading.get(tenant);
    if (under) return under;
    const started = load(tenant).finally(() => loading.delete(tenant));
    loading.set(tenant, started);
    return started;
  };

  const current = (tenant: string) => held.get(tenant) ?? loadOnce(tenant);

  const refresh = async (tenant: string): Promise<Snapshot> => {
    // A load under way may have read the store before the caller's news: wait for it, then read again.
    await loading.get(tenant)?.catch(() => undefined);
    return loadOnce(tenant);
  };

  const subscribe = (swapped: (snapshot: Snapshot) => void) => {
    watchers.add(swapped);
    return () => void watchers.delete(swapped);
  };

  return {
    current,
    held: (tenant) => held.get(tenant),
    subscribe,
    refresh,
    reach: createReach({ current, refresh, subscribe, stored: store.revisions, now: clock.now, after }),
    security: (tenant) => held.get(tenant)?.revisions.security ?? 0n,
    async polled(revisions, sentAtMs) {
      polledAtMs = Math.max(polledAtMs, sentAtMs);
      const following = [...held.values()].map(({ tenant, revisions: known }) => {
        const seen = revisions.get(tenant);
        if (seen && moved(seen, known)) return follow(tenant, seen, sentAtMs);
        behindSinceMs.delete(tenant);
        return undefined;
      });
      await Promise.all(following);
    },
    pollAgeMs: () => Math.max(0, clock.now() - polledAtMs),
    stalenessMs(tenant) {
      const behind = tenant === undefined ? [...behindSinceMs.values()] : [behindSinceMs.get(tenant) ?? polledAtMs];
      return Math.max(0, clock.now() - Math.min(polledAtMs, ...behind));
    },
    broken: () => [...held.values()].filter(({ broken }) => broken).map(({ tenant, usable }) => ({ tenant, usable })),
    revisions: () => new Map([...held].map(([tenant, snapshot]) => [tenant, snapshot.revisions])),
  };
}

/** The fault for policies that are too old to decide by. */
export function stalePolicy(stalenessMs: number): Fault {
  return new Fault("unavailable", "stale_policy", `the policies here are ${stalenessMs} ms old`, {
    limit: `${STALE_WRITE_MS} ms for tools that write, ${STALE_ANY_MS} ms for any`,
    fix: "ask again; if it lasts, check that the service reaches its Postgres",
  });
}
