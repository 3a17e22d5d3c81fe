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
  /** Of what is being compiled beside, the newest rows' revisions: what was taken in them is in force. */
  sought(tenant: string): Revisions | undefined;
  /** Keeps what was compiled for a change that is about to be made: the load after it finds it done. */
  prepared(tenant: string, made: Prepared): void;
}

interface Rooms {
  readonly store: Pick<PolicyStore, "load" | "read">;
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

/** The names of all that is in force, read or not. */
const namesOf = ({ heads, policies }: Pick<TenantRows, "heads" | "policies">): ReadonlySet<unknown> =>
  new Set(heads ? heads.map(({ policy }) => policy) : policies.map(nameOf));

/** The rows with what was left out of them, read one policy after another, so that nothing waits for all of it. */
async function completed(
  read: PolicyStore["read"],
  tenant: string,
  { heads, ...rows }: TenantRows,
  pause: Pause,
): Promise<TenantRows> {
  if (!heads) return rows;
  const known = new Map(rows.policies.map((policy) => [nameOf(policy), policy]));
  const policies: ActivePolicy[] = [];
  for (const head of heads) {
    policies.push(known.get(head.policy) ?? (await read(tenant, head)));
    await pause();
  }
  return { ...rows, policies };
}

/**
 * The newest rows under the policies of `base`, which are compiled, and what is tried beside them. What is in force in no
 * version any more is left out: that is a change of security.
 */
async function rebased(build: typeof buildSnapshot, rows: TenantRows, base: Snapshot, pause: Pause): Promise<Snapshot> {
  const revisions = { security: rows.revisions.security, policy: base.revisions.policy };
  const names = namesOf(rows);
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
function triedStill(rows: TenantRows, { rollout }: Snapshot): RolloutRows | undefined {
  if (!rollout || rows.rollout?.id === rollout.id) return rollout;
  const names = namesOf(rows);
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

/** What need not be read again of a tenant's policies: of those in force, and of those that may be next. */
function createKnown(held: Rooms["held"]) {
  const ready = new Map<string, Prepared>();
  // What was read beside, and is not in force yet.
  const fetched = new Map<string, readonly ActivePolicy[]>();
  // Tenants of which something could not be read beside: it is read with the rest then, and where that fails they grow stale.
  const failing = new Set<string>();
  return {
    ...{ ready, fetched, failing },
    of(tenant: string): readonly ActivePolicy[] | undefined {
      const last = held(tenant);
      if (!last?.usable || failing.has(tenant)) return undefined;
      return [...last.policies, ...(ready.get(tenant)?.policies ?? []), ...(fetched.get(tenant) ?? [])];
    },
  };
}

/** Puts in force what is stored, whatever is held. */
async function reread({ store, held, swap, pause, build }: Rooms, tenant: string, anew: boolean): Promise<Snapshot> {
  const rows = await store.load(tenant);
  const last = held(tenant);
  const made = await build(tenant, rows, anew ? undefined : last, { pause });
  // The last good policies stay, and nothing else of before: what is taken in these rows is taken.
  const good = made.usable || !last?.usable ? made : await build(tenant, rows, last, { pause });
  const next = made.broken ? { ...good, broken: made.broken } : good;
  swap(next);
  return next;
}

/** Puts in force what was compiled beside, under the newest rows, which are those that it was made of or wait no less. */
async function settle(
  { held, swap, pause, build }: Omit<Rooms, "store">,
  waiting: Map<string, TenantRows>,
  rows: TenantRows,
  made: Snapshot,
): Promise<Snapshot> {
  const { tenant } = made;
  const newest = waiting.get(tenant);
  // It was taken back meanwhile.
  if (!newest) return held(tenant) ?? made;
  if (newest === rows) {
    waiting.delete(tenant);
    swap(made);
  } else if (!made.broken) {
    const same = !newest.heads && (await sameDocuments(newest.policies, made.policies, pause));
    if (same) waiting.delete(tenant);
    swap(same ? await build(tenant, newest, made, { pause }) : await rebased(build, newest, made, pause));
  }
  return held(tenant) ?? made;
}

/**
 * Loads have two parts. The quick one takes turns, a tenant at a time: rows are read, and revocations in them are in force
 * before anything is compiled. The other compiles many new rules beside it, in slices, while calls are decided by what
 * is in force and newer rows may come; it takes its turn again to put in force what it made, under the newest
 * revocations.
 */
export function createLoader({ store, held, swap, pause, build }: Rooms): Loader {
  const { underWay, turn } = createTurns();
  const beside = new Map<string, Promise<void>>();
  // The newest rows whose policies are still to be compiled.
  const waiting = new Map<string, TenantRows>();
  const { ready, fetched, failing, of: knownOf } = createKnown(held);

  const read = async (tenant: string): Promise<Snapshot> => {
    const rows = await store.load(tenant, knownOf(tenant));
    failing.delete(tenant);
    const last = held(tenant);
    // A slower, older load never takes the place of a newer one.
    if (last && !moved(rows.revisions, last.revisions)) return last;
    if (last) await obeyRevocations({ swap, pause }, last, rows);
    const made = ready.get(tenant);
    // The change that it was made for may be yet to come: what is revoked meanwhile does not take it away.
    if (rows.revisions.policy > (last?.revisions.policy ?? 0n)) ready.delete(tenant);
    const base = made && (await sameDocuments(made.policies, rows.policies, pause)) ? made : undefined;
    const much = rows.heads !== undefined || (last && (await isMuch(everyPolicy(rows), everyPolicy(last), pause)));
    if (!last?.usable || base || !much) {
      waiting.delete(tenant);
      const snapshot = await build(tenant, rows, last, { pause, base });
      swap(snapshot);
      return snapshot;
    }
    const { broken } = last;
    const secured = rows.revisions.security > last.revisions.security ? await rebased(build, rows, last, pause) : last;
    if (secured !== last) swap(broken ? { ...secured, broken } : secured);
    waiting.set(tenant, rows);
    if (!beside.has(tenant)) startBeside(tenant);
    return held(tenant) ?? secured;
  };

  const startBeside = (tenant: string): void => {
    const run = compileBeside(tenant).catch(() => {
      waiting.delete(tenant);
      failing.add(tenant);
    });
    const ended = run.finally(() => {
      beside.delete(tenant);
      fetched.delete(tenant);
    });
    beside.set(tenant, ended);
  };

  const compileBeside = async (tenant: string): Promise<void> => {
    for (let rows = waiting.get(tenant); rows; rows = waiting.get(tenant)) {
      const whole = await completed(store.read, tenant, rows, pause);
      fetched.set(tenant, whole.policies);
      const made = await build(tenant, whole, held(tenant), { pause });
      // Nothing may come between the end of this and the turn.
      while (underWay.has(tenant)) await underWay.get(tenant)?.catch(() => undefined);
      await turn(tenant, settle({ held, swap, pause, build }, waiting, rows, made));
    }
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
      return turn(tenant, reread({ store, held, swap, pause, build }, tenant, anew));
    },
    compiling: (tenant) => beside.has(tenant),
    sought: (tenant) => waiting.get(tenant)?.revisions,
    prepared: (tenant, made) => void ready.set(tenant, made),
  };
}
