import type { BehaviourEvent, CallEvent, EndEvent } from "./event.ts";

/** How far back calls, failures and denials count. */
export const WINDOW_MS = 10 * 60_000;
/** How long after a breaker closed again its back-off is remembered. */
export const TRIP_MEMORY_MS = 60 * 60_000;
/** The longest back-off. */
export const BACK_OFF_MS_MAX = 10 * 60_000;
/** How far back records are read of a run that is not in memory: what is older counts for nothing. */
export const HORIZON_MS = TRIP_MEMORY_MS + BACK_OFF_MS_MAX;

/** The newest that are kept of one tool in one run. */
const CALLS_MAX = 4096;
const ENDS_MAX = 512;
const TRIPS_MAX = 64;

export type Trip = CallEvent & { readonly trip: NonNullable<CallEvent["trip"]> };

/** What is known of one tool in one run, each list in the order of the ids. */
export interface ToolMemory {
  readonly calls: readonly CallEvent[];
  readonly ends: readonly EndEvent[];
  readonly trips: readonly Trip[];
}

interface Lists {
  readonly calls: CallEvent[];
  readonly ends: EndEvent[];
  readonly trips: Trip[];
}

/**
 * What is remembered of a run: the set of its newest events, by tool. It does not depend on the order in which they came
 * nor on how often each did, so what was folded from the store after a restart, what another replica did and what this
 * one did by itself come out the same.
 */
export interface RunMemory {
  /** Whether more than one session was seen in it. */
  readonly several: boolean;
  of(tool: string): ToolMemory | undefined;
  /** Adds an event; false when it was there already. */
  add(event: BehaviourEvent): boolean;
  /** How many events it holds. */
  readonly size: number;
}

/** Inserts by id; the newest are the last, and most come in order. */
function insert<Event extends { readonly id: string }>(list: Event[], event: Event): boolean {
  let at = list.length;
  while (at > 0 && (list[at - 1]?.id ?? "") > event.id) at--;
  if (list[at - 1]?.id === event.id) return false;
  list.splice(at, 0, event);
  return true;
}

/** Drops what is too old or too much, the oldest first; answers how many. */
function prune<Event extends { readonly atMs: number }>(list: Event[], max: number, beforeMs: number): number {
  let drop = Math.max(0, list.length - max);
  while (drop < list.length && (list[drop]?.atMs ?? beforeMs) < beforeMs) drop++;
  if (drop > 0) list.splice(0, drop);
  return drop;
}

export function createRunMemory(): RunMemory {
  const tools = new Map<string, Lists>();
  let session: string | undefined;
  let several = false;
  let size = 0;

  const listsOf = (tool: string): Lists => {
    const known = tools.get(tool);
    if (known) return known;
    const made: Lists = { calls: [], ends: [], trips: [] };
    tools.set(tool, made);
    return made;
  };

  return {
    get several() {
      return several;
    },
    get size() {
      return size;
    },
    of: (tool) => tools.get(tool),
    add(event) {
      const { calls, ends, trips } = listsOf(event.tool);
      const { atMs } = event;
      let added = 0;
      if (event.event === "end") added += insert(ends, event) ? 1 : 0;
      else {
        if (event.trip) added += insert(trips, event as Trip) ? 1 : 0;
        // What a breaker stopped is counted by none.
        if (!event.trip || event.passed) added += insert(calls, event) ? 1 : 0;
      }
      if (added === 0) return false;
      session ??= event.session;
      several ||= event.session !== session;
      size += added;
      size -= prune(calls, CALLS_MAX, atMs - WINDOW_MS) + prune(ends, ENDS_MAX, atMs - WINDOW_MS);
      size -= prune(trips, TRIPS_MAX, atMs - HORIZON_MS);
      return true;
    },
  };
}
