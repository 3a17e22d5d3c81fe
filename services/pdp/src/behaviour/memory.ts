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
  /** Whether an event of `calls` is a later attempt of a call of which an earlier one is among them. */
  isAgain(event: CallEvent): boolean;
}

interface Lists extends ToolMemory {
  readonly calls: CallEvent[];
  readonly ends: EndEvent[];
  readonly trips: Trip[];
  readonly attempts: Attempts;
}

/** The events of each call: found by looking through all of them for each they would be a square of what is kept. */
interface Attempts {
  added(event: CallEvent): void;
  /** `left`: what is still kept, in the order of the ids. */
  dropped(event: CallEvent, left: readonly CallEvent[]): void;
  firstOf(call: string): string | undefined;
}

function createAttempts(): Attempts {
  const known = new Map<string, { readonly first: string; readonly count: number }>();
  return {
    added({ call, id }) {
      const { first, count } = known.get(call) ?? { first: id, count: 0 };
      known.set(call, { first: id < first ? id : first, count: count + 1 });
    },
    dropped({ call, id }, left) {
      const { first, count } = known.get(call) ?? { first: id, count: 1 };
      if (count === 1) known.delete(call);
      else known.set(call, { first: first === id ? nextOf(call, left) : first, count: count - 1 });
    },
    firstOf: (call) => known.get(call)?.first,
  };
}

const nextOf = (call: string, left: readonly CallEvent[]) => left.find((one) => one.call === call)?.id ?? "";

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
  if ((list.at(-1)?.id ?? "") < event.id) {
    list.push(event);
    return true;
  }
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((list[middle]?.id ?? "") < event.id) from = middle + 1;
    else to = middle;
  }
  if (list[from]?.id === event.id) return false;
  list.splice(from, 0, event);
  return true;
}

const none: never[] = [];

/** Drops what is too old or too much, the oldest first; answers that. */
function prune<Event extends { readonly atMs: number }>(list: Event[], max: number, beforeMs: number): Event[] {
  let drop = Math.max(0, list.length - max);
  while (drop < list.length && (list[drop]?.atMs ?? beforeMs) < beforeMs) drop++;
  return drop > 0 ? list.splice(0, drop) : none;
}

function newLists(): Lists {
  const attempts = createAttempts();
  return {
    ...{ calls: [], ends: [], trips: [], attempts },
    isAgain: ({ call, attempt, id }) => attempt !== 1 && attempts.firstOf(call) !== id,
  };
}

export function createRunMemory(): RunMemory {
  const tools = new Map<string, Lists>();
  let session: string | undefined;
  let several = false;
  let size = 0;

  const listsOf = (tool: string): Lists => {
    const known = tools.get(tool);
    if (known) return known;
    const made = newLists();
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
      const { calls, ends, trips, attempts } = listsOf(event.tool);
      const { atMs } = event;
      let added = 0;
      if (event.event === "end") added += insert(ends, event) ? 1 : 0;
      else {
        if (event.trip) added += insert(trips, event as Trip) ? 1 : 0;
        // What a breaker stopped is counted by none.
        if ((!event.trip || event.passed) && insert(calls, event)) {
          attempts.added(event);
          added++;
        }
      }
      if (added === 0) return false;
      session ??= event.session;
      several ||= event.session !== session;
      size += added;
      const dropped = prune(calls, CALLS_MAX, atMs - WINDOW_MS);
      for (const old of dropped) attempts.dropped(old, calls);
      size -= dropped.length + prune(ends, ENDS_MAX, atMs - WINDOW_MS).length;
      size -= prune(trips, TRIPS_MAX, atMs - HORIZON_MS).length;
      return true;
    },
  };
}
