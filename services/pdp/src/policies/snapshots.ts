import { type CompileSource, compileInSlices, type PolicyDocument, type Problem } from "@remit/engine";
import type { Clock } from "../foundation/clock.ts";
import type { Log } from "../foundation/log.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { type Comparing, createComparing } from "./comparing.ts";
import { createFollowing, type Following } from "./following.ts";
import { lintBeside } from "./lint.ts";
import { createLoader } from "./loader.ts";
import type { PolicyStore, Revisions, TenantRows } from "./policy-store.ts";
import { createReach } from "./reach.ts";
import { countRevoked } from "./revoked.ts";
import { buildSnapshot, type Compiling, type Pause, type Prepared, prepare, type Snapshot } from "./snapshot.ts";

/** The snapshots in force, one a tenant, and how fresh they are. */
export interface Snapshots extends Following, Comparing {
  /** The snapshot in force, loading it when this process has not needed the tenant yet. */
  current(tenant: string): Promise<Snapshot> | Snapshot;
  /** The snapshot in force, if this process has one of the tenant. */
  held(tenant: string): Snapshot | undefined;
  /** Calls back after every swap; answers how to stop that. */
  subscribe(swapped: (snapshot: Snapshot) => void): () => void;
  /** One at least as new as the store's revisions are now. */
  refresh(tenant: string): Promise<Snapshot>;
  /**
   * One that knows whatever was revoked until now, its tools, agents and settings as new as the store's. Its policies may
   * be those before, if compiling the newest takes long: nobody who only asks whether a call may still run waits for that.
   */
  secured(tenant: string): Promise<Snapshot>;
  /**
   * The same for whoever passes no commit, which would refuse what is judged too early: costs a row while nothing is
   * revoked.
   */
  latest(tenant: string): Promise<Snapshot>;
  /** What compiling documents beside those of a snapshot finds: in slices, so that decisions go on. */
  check(
    beside: Snapshot,
    source: Pick<CompileSource, "policies" | "tools"> & { readonly strict?: boolean },
  ): Promise<{ readonly problems: readonly Problem[] }>;
  /** Warnings of what compiles and is probably not meant, beside all that is registered: in slices, too. */
  lint(beside: Snapshot, policies: readonly PolicyDocument[]): Promise<readonly Problem[]>;
  /** Compiles what a change is about to put in force, and keeps it for the load after the change. */
  prepare(
    beside: Snapshot,
    rows: Pick<TenantRows, "policies" | "tools">,
  ): Promise<Prepared | { readonly problems: readonly Problem[] }>;
  /** The security revision known of a tenant; 0 before anything is known. */
  security(tenant: string): bigint;
  /**
   * One whose revision, the sum of both counters, is at least the given one: waits a moment for it to arrive by itself,
   * then asks the store. Answers the newest there is when there is none: asking for the future costs the store one row.
   */
  reach(tenant: string, revision: bigint): Promise<Snapshot>;
  /** Tenants whose newest policies do not compile; `usable` is false where nothing is decided therefore. */
  broken(): Pick<Snapshot, "tenant" | "usable">[];
  revisions(): ReadonlyMap<string, Revisions>;
  /** Rules in force here, of all tenants. */
  rules(): number;
  /** What is revoked and what is halted here, of all tenants. */
  revoked(): { readonly revocations: number; readonly halts: number };
}

interface Options {
  readonly store: Pick<PolicyStore, "load" | "read" | "revisions" | "fingerprint">;
  readonly clock: Clock;
  readonly log: Log;
  /** Calls back later; answers how to stop that. */
  readonly after?: (ms: number, run: () => void) => () => void;
  readonly pause?: Pause | undefined;
  /** Between slices of compiling, whose results stay in use; absent: `pause`. It may take longer. */
  readonly compilePause?: Pause | undefined;
  /** Reads a policy in Cedar, off the thread that decides; absent: on it. */
  readonly readCedar?: Compiling["readCedar"];
  /** Awaited before a snapshot takes its place: what others make of it, in slices. */
  readonly prepared?: (snapshot: Snapshot, pause: Pause) => Promise<void>;
  /** Told how long compiling a tenant took, from its rows to a snapshot, pauses included. */
  readonly onCompiled?: (seconds: number) => void;
}

/** Parts of a tenant's rows that are compiled. */
const COMPILED: ReadonlySet<string> = new Set(["policies", "rollout", "tools"]);

function systemAfter(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

function tellBroken(log: Log, { tenant, revisions, broken, usable, rollout }: Snapshot): void {
  if (broken) {
    log.error(
      { tenant, policy: revisions.policy.toString(), problem: broken[0]?.message },
      usable
        ? "the newest policies do not compile; the last good ones stay in force"
        : "the stored policies do not compile; nothing of this tenant is decided until they are mended",
    );
  }
  if (rollout?.broken) {
    const problem = rollout.broken[0]?.message;
    log.error({ tenant, rollout: rollout.id, problem }, "the versions that are tried do not compile");
  }
}

function createLatest({
  stored,
  current,
  secured,
}: Pick<Snapshots, "current" | "secured"> & { stored: Options["store"]["revisions"] }) {
  return async (tenant: string): Promise<Snapshot> => {
    const { security } = await stored(tenant);
    const newest = await current(tenant);
    return security > newest.revisions.security ? secured(tenant) : newest;
  };
}

export function createSnapshots(options: Options): Snapshots {
  const { store, clock, log, after = systemAfter, pause = turnOfTheLoop, prepared, onCompiled, readCedar } = options;
  const { compilePause = pause } = options;
  const held = new Map<string, Snapshot>();
  const watchers = new Set<(snapshot: Snapshot) => void>();

  const swap = (snapshot: Snapshot): void => {
    tellBroken(log, snapshot);
    held.set(snapshot.tenant, snapshot);
    for (const swapped of watchers) swapped(snapshot);
  };

  const compiling = { pause, compilePause, readCedar };
  const build: typeof buildSnapshot = async (tenant, rows, last, building) => {
    const beganMs = clock.now();
    const snapshot = await buildSnapshot(tenant, rows, last, { ...building, compilePause, readCedar });
    await prepared?.(snapshot, compilePause);
    onCompiled?.((clock.now() - beganMs) / 1000);
    return snapshot;
  };
  const loader = createLoader({ store, held: (tenant) => held.get(tenant), swap, pause, build });
  const { secured, loaded: refresh } = loader;

  const following = createFollowing({
    clock,
    log,
    held: () => held.values(),
    secured,
    compiling: loader.compiling,
    sought: loader.sought,
  });

  const comparing = createComparing({
    ...{ store, held: () => held.values(), compiling: loader.compiling, log },
    reload: (tenant, parts) =>
      loader.reloaded(
        tenant,
        parts.some((part) => COMPILED.has(part)),
      ),
  });

  const current = (tenant: string) => held.get(tenant) ?? loader.joined(tenant);

  const subscribe = (swapped: (snapshot: Snapshot) => void) => {
    watchers.add(swapped);
    return () => void watchers.delete(swapped);
  };

  return {
    current,
    held: (tenant) => held.get(tenant),
    subscribe,
    refresh,
    secured,
    latest: createLatest({ stored: store.revisions, current, secured }),
    check: ({ compiled }, { strict = false, ...source }) =>
      compileInSlices(source, { strict, last: compiled, readCedar }, compilePause),
    lint: (beside, policies) => lintBeside(beside, policies, pause),
    async prepare(beside, rows) {
      const made = await prepare(rows, beside, compiling);
      if ("compiled" in made) loader.prepared(beside.tenant, made);
      return made;
    },
    reach: createReach({ current, refresh, subscribe, stored: store.revisions, now: clock.now, after }),
    security: (tenant) => held.get(tenant)?.revisions.security ?? 0n,
    ...following,
    ...comparing,
    broken: () => [...held.values()].filter(({ broken }) => broken).map(({ tenant, usable }) => ({ tenant, usable })),
    revisions: () => new Map([...held].map(([tenant, snapshot]) => [tenant, snapshot.revisions])),
    revoked: () => countRevoked([...held.values()].map(({ revoked }) => revoked)),
    rules: () => {
      let rules = 0;
      for (const { compiled } of held.values()) for (const policy of compiled.policies) rules += policy.rules.length;
      return rules;
    },
  };
}
