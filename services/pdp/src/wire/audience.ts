import { LongMap } from "../foundation/long-map.ts";
import { finishInTurns, type Steps } from "../foundation/steps.ts";
import type { TurnRoom } from "../foundation/turn-room.ts";
import type { Session } from "../identities/index.ts";

/** What may be news of a session. */
export type News =
  /** Something of its tenant: what stands in its way, or in that of its tools. */
  | { readonly of: "tenant" }
  /** It has ended, or one above it has: for good, and by this code. */
  | { readonly of: "end"; readonly code: string }
  /** What only time changes. */
  | { readonly of: "time"; readonly nowMs: number };

/** A session that is attached to a stream. */
export interface Listener {
  readonly session: Session;
  /** When its token runs out. */
  readonly expiresAtMs: number;
  /** Tells its peer what is news of it, and pauses after each notice. */
  hear(news: News): Iterable<void>;
}

/** The sessions that are attached to all streams of this process, found by what may be news of them. */
export interface Audience {
  add(one: Listener): void;
  delete(one: Listener): void;
  /** All of them, in later turns: until then they may hear of something. */
  deleteAll(some: Iterable<Listener>): void;
  tenantMoved(tenant: string): void;
  sessionsEnded(sessionIds: ReadonlySet<string>, code: string): void;
  /** Tells those for whom time has changed something. */
  look(nowMs: number): void;
  readonly size: number;
}

interface Options {
  /** Whose turns the news share, and nothing else: no call keeps them waiting. Busy after `TELLING_MS_MAX`. */
  readonly turns: TurnRoom;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/**
 * How long many are told of something in one turn. What they are told is written after that, for all streams in one turn
 * and in three times as long.
 */
export const TELLING_MS_MAX = 0.25;
/** Steps count hundredths of what a slice may take. */
const COST_OF_MS = 100 / TELLING_MS_MAX;

/** A set of them: of one tenant, or of all whose time is over in one second, there may be tens of thousands. */
class Many {
  readonly #each = new LongMap<Listener, true>();

  constructor(...some: readonly Listener[]) {
    for (const one of some) this.add(one);
  }
  add(one: Listener): void {
    this.#each.set(one, true);
  }
  /** Whether it was the last. */
  delete(one: Listener): boolean {
    return this.#each.delete(one) && this.#each.size === 0;
  }
  [Symbol.iterator](): Iterator<Listener> {
    return this.#each.keys();
  }
}

/** Listeners by something that many of them may share. Most are alone with theirs, and take no set. */
function createGroups<Name>() {
  const groups = new LongMap<Name, Listener | Many>();
  return {
    add(name: Name, one: Listener): void {
      const its = groups.get(name);
      if (its === undefined || its === one) groups.set(name, one);
      else if (its instanceof Many) its.add(one);
      else groups.set(name, new Many(its, one));
    },
    delete(name: Name, one: Listener): void {
      const its = groups.get(name);
      if (its === one || (its instanceof Many && its.delete(one))) groups.delete(name);
    },
    /** Those that come or go meanwhile may be among them or not. */
    of(name: Name): Iterable<Listener> {
      const its = groups.get(name) ?? [];
      return Symbol.iterator in its ? its : [its];
    },
    names: () => groups.keys(),
  };
}

const secondOf = (ms: number) => Math.floor(ms / 1_000);

/** When time alone may be news of a session next, after a moment; Infinity: never. */
function nextMs({ expiresAtMs, session }: Listener, afterMs: number): number {
  const times = [expiresAtMs, session.expiresAtMs, ...session.ancestors.map((link) => link.expiresAtMs)];
  return Math.min(...times.filter((ms) => ms > afterMs));
}

/** When each is to be looked at because of the time. */
function createTimetable() {
  const dueMs = new LongMap<Listener, number>();
  // There are few seconds in the life of a token, and many sessions may end with each.
  const bySecond = createGroups<number>();
  const leaveSecond = (one: Listener): void =>
    bySecond.delete(secondOf(dueMs.get(one) ?? Number.POSITIVE_INFINITY), one);
  return {
    put(one: Listener, afterMs: number): void {
      leaveSecond(one);
      const ms = nextMs(one, afterMs);
      // It stays where it is: a map that loses and gains many is laid out anew, in one piece.
      dueMs.set(one, ms);
      if (ms < Number.POSITIVE_INFINITY) bySecond.add(secondOf(ms), one);
    },
    remove(one: Listener): void {
      leaveSecond(one);
      dueMs.delete(one);
    },
    *due(nowMs: number): Generator<Listener> {
      for (const second of bySecond.names()) {
        if (second > secondOf(nowMs)) continue;
        for (const one of bySecond.of(second)) if ((dueMs.get(one) ?? nowMs + 1) <= nowMs) yield one;
      }
    },
    get size() {
      return dueMs.size;
    },
  };
}

/** Everybody, by what may be news of them. */
function createRegister() {
  const timetable = createTimetable();
  const byTenant = createGroups<string>();
  // By its own id, and by those of the sessions above it: what ends one ends everything under it.
  const bySession = createGroups<string>();
  return {
    timetable,
    ofTenant: byTenant.of,
    ofSession: bySession.of,
    add(one: Listener): void {
      const { id, tenant, ancestors } = one.session;
      timetable.put(one, Number.NEGATIVE_INFINITY);
      byTenant.add(tenant, one);
      bySession.add(id, one);
      for (const link of ancestors) bySession.add(link.id, one);
    },
    delete(one: Listener): void {
      const { id, tenant, ancestors } = one.session;
      timetable.remove(one);
      byTenant.delete(tenant, one);
      bySession.delete(id, one);
      for (const link of ancestors) bySession.delete(link.id, one);
    },
  };
}

/** Does work part by part, in slices, each in a turn of its own: from now on, or from a later turn. */
function createSlices({ turns, nowMs }: Options) {
  function* timed(parts: Iterable<void>): Steps<void> {
    let beganMs = nowMs();
    for (const _ of parts) {
      yield (nowMs() - beganMs) * COST_OF_MS;
      beganMs = nowMs();
    }
  }
  const later = (parts: Iterable<void>, source: object): void => {
    void turns.enter(source).then(() => finishInTurns(timed(parts), turns, source));
  };
  return {
    later,
    soon(parts: Iterable<void>): void {
      const source = {};
      if (turns.full) later(parts, source);
      else void finishInTurns(timed(parts), turns, source);
    },
  };
}

/**
 * Hands news to whom they concern. There may be tens of thousands of them, over thousands of streams: the first hear at
 * once, and the others in slices. Several pieces of news take turns, so that what concerns one session is not kept waiting
 * by what concerns all of a tenant.
 */
export function createAudience(options: Options): Audience {
  const slices = createSlices(options);
  const register = createRegister();
  const { timetable } = register;
  /** Tenants whose listeners are being told; `again`: something more has moved since. */
  const moving = new Map<string, { again: boolean }>();

  // By stream: there may be thousands that close at once.
  let leaving: Iterable<Listener>[] = [];
  function* removing() {
    for (const some of leaving) for (const one of some) yield register.delete(one);
    leaving = [];
  }
  function* hearing(some: Iterable<Listener>, news: News) {
    for (const one of some) {
      yield* one.hear(news);
      yield;
    }
  }
  function* moved(tenant: string, sweep: { again: boolean }) {
    try {
      do {
        sweep.again = false;
        yield* hearing(register.ofTenant(tenant), { of: "tenant" });
      } while (sweep.again);
    } finally {
      moving.delete(tenant);
    }
  }
  function* ended(sessionIds: ReadonlySet<string>, code: string) {
    for (const id of sessionIds) {
      yield* hearing(register.ofSession(id), { of: "end", code });
      yield;
    }
  }
  function* passed(now: number) {
    for (const one of timetable.due(now)) {
      // Before anything is waited for: the next look has others.
      timetable.put(one, now);
      yield* hearing([one], { of: "time", nowMs: now });
    }
  }

  return {
    add: register.add,
    delete: register.delete,
    deleteAll(some) {
      leaving.push(some);
      if (leaving.length === 1) slices.later(removing(), leaving);
    },
    tenantMoved(tenant) {
      const under = moving.get(tenant);
      if (under) {
        under.again = true;
        return;
      }
      const sweep = { again: false };
      moving.set(tenant, sweep);
      slices.soon(moved(tenant, sweep));
    },
    sessionsEnded: (sessionIds, code) => slices.soon(ended(sessionIds, code)),
    look: (now) => slices.soon(passed(now)),
    get size() {
      return timetable.size;
    },
  };
}
