import { eachInSlices } from "../foundation/in-slices.ts";
import type { ActivePolicy, PolicyStore, Revisions, TenantRows } from "./policy-store.ts";
import { revokedInSlices, sameRevoked } from "./revoked.ts";
import type { RolloutRows } from "./rollout.ts";
import { type buildSnapshot, type Pause, type Prepared, type Snapshot, sameDocuments } from "./snapshot.ts";

/** Rules that are compiled while whoever asked waits; more are compiled beside what is in force. */
const AT_ONCE_RULES_MAX = 1_000;
/** How many known rules are indexed anew in the time that one is compiled in. */
const KNOWN_PER_NEW_RULE = 20;

/** Brings a tenant's rows into force. */
export interface Loader {
  /** Shares a load that is under way, if there is one. */
  joined(tenant: string): Promise<Snapshot>;
  /**
   * What the store has now: who and what may act is in force when this resolves, and the policies too unless there are
   * many to compile; those follow.
   */
  secured(tenant: string): Promise<Snapshot>;
  /** What the store has now, whole. */
  loaded(tenant: string): Promise<Snapshot>;
  /**
   * What the store has now, whatever its revisions say. `anew`: what was compiled of the same digests does not count.
   * Where that does not compile, the last good policies stay.
   */
  reloaded(tenant: string, anew: boolean): Promise<Snapshot>;
  /** Whether policies are being compiled beside those in force. */
  compiling(tenant: string): boolean;
  /** Keeps what was compiled for a change that is about to be made: the load after it finds it done. */
  prepared(tenant: string, made: Prepared): void;
}

interface Rooms {
  readonly load: PolicyStore["load"];
  held(tenant: string): Snapshot | undefined;
  swap(snapshot: Snapshot): void;
  readonly pause: Pause;
  /** Makes a snapshot; what that takes is measured. */
  readonly build: typeof buildSnapshot;
}

export const moved = (seen: Revisions, held: Revisions) => seen.security > held.security || seen.policy > held.policy;

async function isMuch(next: readonly ActivePolicy[], known: readonly ActivePolicy[], pause: Pause): Promise<boolean> {
  const key = ({ document, digest }: ActivePolicy) => `${document?.metadata?.name} ${digest}`;
  const before = new Set<string>();
  await eachInSlices(known, pause, (policy) => before.add(key(policy)));
  let rules = 0;
  await eachInSlices(next, pause, (policy) => {
    const count = policy.document?.spec?.rules?.length ?? 0;
    rules += before.has(key(policy)) ? count / KNOWN_PER_NEW_RULE : count;
  });
  return rules > AT_ONCE_RULES_MAX;
}

const nameOf = ({ document }: ActivePolicy): unknown => document?.metadata?.name;

/**
 * The newest rows under the policies of `base`, which are compiled, and what is tried beside them. What is in force in no
 * version any more is left out: that is a change of security.
 */
async function rebased(build: typeof buildSnapshot, rows: TenantRows, base: Snapshot, pause: Pause): Promise<Snapshot> {
  const revisions = { security: rows.revisions.security, policy: base.revisions.policy };
  const names = new Set(rows.policies.map(nameOf));
  const policies = base.policies.filter((policy) => names.has(nameOf(policy)));
  const made = await build(base.tenant, { ...rows, revisions, policies, rollout: triedStill(rows, base) }, base, {
    pause,
  });
  return { ...made, whole: base.whole ?? base.revisions };
}

/**
 * What `base` tries beside its policies. Of a rollout that has ended since, only versions of what is in force: the end may
 * be that a policy was taken out of force.
 */
function triedStill({ rollout: now, policies: inForce }: TenantRows, { rollout }: Snapshot): RolloutRows | undefined {
  if (!rollout || now?.id === rollout.id) return rollout;
  const names = new Set(inForce.map(nameOf));
  const policies = rollout.policies.filter((policy) => names.has(nameOf(policy)));
  return policies.length === 0 ? undefined : { ...rollout, policies };
}

/** All that is compiled of a tenant: what is in force, and what is tried beside it. */
const everyPolicy = ({ policies, rollout }: Pick<TenantRows, "policies" | "rollout">): readonly ActivePolicy[] =>
  rollout ? [...policies, ...rollout.policies] : policies;

/**
 * Puts what is revoked in force, which needs no compiling. The revisions stay: the rest of what the newer ones stand for is
 * not there yet.
 */
async function obeyRevocations(
  { swap, pause }: Pick<Rooms, "swap" | "pause">,
  last: Snapshot,
  rows: TenantRows,
): Promise<void> {
  const revoked = await revokedInSlices(rows.revocations, pause);
  if (sameRevoked(revoked, last.revoked)) return;
  const { rollout } = last;
  const candidate = rollout?.candidate && { ...rollout.candidate, revoked };
  swap({ ...last, revoked, ...(rollout && { rollout: { ...rollout, candidate } }) });
}

/** One load of a tenant at a time. */
function createTurns() {
  const underWay = new Map<string, Promise<Snapshot>>();
  return {
    underWay,
    turn(tenant: string, work: Promise<Snapshot>): Promise<Snapshot> {
      const mine = work.finally(() => underWay.delete(tenant));
      underWay.set(tenant, mine);
      return mine;
    },
  };
}

/** Puts in force what is stored, whatever is held. */
async function reread({ load, held, swap, pause, build }: Rooms, tenant: string, anew: boolean): Promise<Snapshot> {
  const rows = await load(tenant);
  const last = held(tenant);
  const made = await build(tenant, rows, anew ? undefined : last, { pause });
  // The last good policies stay, and nothing else of before: what is taken in these rows is taken.
  const good = made.usable || !last?.usable ? made : await build(tenant, rows, last, { pause });
  const next = made.broken ? { ...good, broken: made.broken } : good;
  swap(next);
  return next;
}

/**
 * Loads have two parts. The quick one takes turns, a tenant at a time: rows are read, and revocations in them are in force
 * before anything is compiled. The other compiles many new rules beside it, in slices, while calls are decided by what
 * is in force and newer rows may come; it takes its turn again to put in force what it made, under the newest
 * revocations.
 */
export function createLoader({ load, held, swap, pause, build }: Rooms): Loader {
  const { underWay, turn } = createTurns();
  const beside = new Map<string, Promise<void>>();
  // The newest rows whose policies are still to be compiled.
  const waiting = new Map<string, TenantRows>();
  const ready = new Map<string, Prepared>();

  const read = async (tenant: string): Promise<Snapshot> => {
    const rows = await load(tenant);
    const last = held(tenant);
    // A slower, older load never takes the place of a newer one.
    if (last && !moved(rows.revisions, last.revisions)) return last;
    if (last) await obeyRevocations({ swap, pause }, last, rows);
    const made = ready.get(tenant);
    ready.delete(tenant);
    const base = made && (await sameDocuments(made.policies, rows.policies, pause)) ? made : undefined;
    if (!last?.usable || base || !(await isMuch(everyPolicy(rows), everyPolicy(last), pause))) {
      waiting.delete(tenant);
      const snapshot = await build(tenant, rows, last, { pause, base });
      swap(snapshot);
      return snapshot;
    }
    const { broken } = last;
    const secured = rows.revisions.security > last.revisions.security ? await rebased(build, rows, last, pause) : last;
    if (secured !== last) swap(broken ? { ...secured, broken } : secured);
    waiting.set(tenant, rows);
    if (!beside.has(tenant)) {
      const run = compileBeside(tenant).catch(() => void waiting.delete(tenant));
      beside.set(
        tenant,
        run.finally(() => beside.delete(tenant)),
      );
    }
    return held(tenant) ?? secured;
  };

  const compileBeside = async (tenant: string): Promise<void> => {
    for (let rows = waiting.get(tenant); rows; rows = waiting.get(tenant)) {
      const made = await build(tenant, rows, held(tenant), { pause });
      // Nothing may come between the end of this and the turn.
      while (underWay.has(tenant)) await underWay.get(tenant)?.catch(() => undefined);
      await turn(tenant, settle(tenant, rows, made));
    }
  };

  const settle = async (tenant: string, rows: TenantRows, made: Snapshot): Promise<Snapshot> => {
    const newest = waiting.get(tenant);
    // It was taken back meanwhile.
    if (!newest) return held(tenant) ?? made;
    if (newest === rows) {
      waiting.delete(tenant);
      swap(made);
    } else if (!made.broken) {
      const same = await sameDocuments(newest.policies, made.policies, pause);
      if (same) waiting.delete(tenant);
      swap(same ? await build(tenant, newest, made, { pause }) : await rebased(build, newest, made, pause));
    }
    return held(tenant) ?? made;
  };

  const joined = (tenant: string) => underWay.get(tenant) ?? turn(tenant, read(tenant));

  const secured = async (tenant: string): Promise<Snapshot> => {
    // A load under way may have read the store before the caller's news: wait for it, then read again.
    await underWay.get(tenant)?.catch(() => undefined);
    return joined(tenant);
  };

  return {
    joined,
    secured,
    async loaded(tenant) {
      const snapshot = await secured(tenant);
      await beside.get(tenant);
      return held(tenant) ?? snapshot;
    },
    async reloaded(tenant, anew) {
      while (underWay.has(tenant)) await underWay.get(tenant)?.catch(() => undefined);
      for (const older of [waiting, ready]) older.delete(tenant);
      return turn(tenant, reread({ load, held, swap, pause, build }, tenant, anew));
    },
    compiling: (tenant) => beside.has(tenant),
    prepared: (tenant, made) => void ready.set(tenant, made),
  };
}
