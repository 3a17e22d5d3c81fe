import { LRUCache } from "lru-cache";
import { leastUuidAt } from "../foundation/ids.ts";
import { eachInSlices, type Pause } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { BehaviourStore, Cursors, Reset } from "./behaviour-store.ts";
import type { BehaviourEvent } from "./event.ts";
import { createRunMemory, HORIZON_MS, type RunMemory } from "./memory.ts";
import { createResets } from "./resets.ts";
import { eventFrom } from "./trail.ts";

/** The newest records that are read of a run which is not in memory. */
const LATEST_RECORDS_MAX = 4096;

/** What is remembered of runs: made of their records alone, so that it is lost by no restart and shared by all replicas. */
export interface Behaviour {
  /** What is known of a run, if it is in memory. */
  held(run: string): RunMemory | undefined;
  /** Reads a run that is not. */
  load(tenant: string, run: string, nowMs: number): Promise<RunMemory>;
  /** Adds what was recorded here; to be called once that is acknowledged, never before. */
  recorded(run: string, event: BehaviourEvent): void;
  /** Nobody knows whether something was recorded: the run is read again. */
  forget(run: string): void;
  /** Until when an operator has set aside what was counted of a tool in a run; 0 when none did. */
  resetMs(tenant: string, run: string, tool: string): number;
  /** An operator has set something aside here. */
  setAside(reset: Reset): void;
  /** Reads what other replicas recorded since, and what operators have set aside. */
  follow(): Promise<void>;
  /** How many runs and events are held. */
  size(): { readonly runs: number; readonly events: number };
}

interface Options {
  readonly store: BehaviourStore;
  readonly runsMax: number;
  readonly eventsMax: number;
  /** Awaited between slices of what the store answers. */
  readonly pause?: Pause;
}

/** Records that are taken over between two pauses, at some microseconds each. */
const RECORDS_AT_ONCE_MAX = 250;

interface Entry {
  readonly memory: RunMemory;
  /** While it is read. What is recorded or followed meanwhile is added already. */
  readonly loading: Promise<RunMemory> | undefined;
}

/** Runs in memory, as many as fit. */
function createRuns({ runsMax, eventsMax }: Options) {
  let events = 0;
  const runs = new LRUCache<string, Entry>({
    max: runsMax,
    noDisposeOnSet: true,
    dispose: ({ memory }) => {
      events -= memory.size;
    },
  });
  return {
    get: (run: string) => runs.get(run),
    peek: (run: string) => runs.peek(run),
    set: (run: string, entry: Entry) => void runs.set(run, entry),
    delete: (run: string) => void runs.delete(run),
    add({ memory }: Entry, event: BehaviourEvent): void {
      const before = memory.size;
      memory.add(event);
      events += memory.size - before;
      while (events > eventsMax && runs.size > 1) runs.pop();
    },
    size: () => ({ runs: runs.size, events }),
  };
}

export function createBehaviour(options: Options): Behaviour {
  const { store, pause = turnOfTheLoop } = options;
  const runs = createRuns(options);
  const resets = createResets();
  let cursors: Cursors | undefined;

  const read = async (tenant: string, run: string, memory: RunMemory, nowMs: number): Promise<RunMemory> => {
    // It may have been forgotten meanwhile, and read again.
    const own = () => {
      const entry = runs.peek(run);
      return entry?.memory === memory ? entry : undefined;
    };
    try {
      const found = await store.latest(tenant, run, leastUuidAt(nowMs - HORIZON_MS), LATEST_RECORDS_MAX);
      const take = (record: (typeof found)[number]) => {
        const event = eventFrom(record);
        const entry = own();
        if (event && entry) runs.add(entry, event);
        else if (event) memory.add(event);
      };
      // The oldest first, so that each finds its place at the end.
      await eachInSlices(found.toReversed(), pause, take, RECORDS_AT_ONCE_MAX);
      if (own()) runs.set(run, { memory, loading: undefined });
      return memory;
    } catch (error) {
      if (own()) runs.delete(run);
      throw error;
    }
  };

  return {
    held(run) {
      const entry = runs.get(run);
      return entry && !entry.loading ? entry.memory : undefined;
    },
    load(tenant, run, nowMs) {
      const under = runs.peek(run);
      if (under) return under.loading ?? Promise.resolve(under.memory);
      const memory = createRunMemory();
      const { promise, resolve } = Promise.withResolvers<RunMemory>();
      runs.set(run, { memory, loading: promise });
      resolve(read(tenant, run, memory, nowMs));
      return promise;
    },
    recorded(run, event) {
      const entry = runs.peek(run);
      if (entry) runs.add(entry, event);
    },
    forget: runs.delete,
    resetMs: resets.of,
    setAside: resets.add,
    async follow() {
      const [news, found] = await Promise.all([store.since(cursors), store.resets()]);
      cursors = news.cursors;
      resets.set(found);
      const take = (record: (typeof news.records)[number]) => {
        const entry = runs.peek(record.run);
        const event = entry && eventFrom(record);
        if (entry && event) runs.add(entry, event);
      };
      await eachInSlices(news.records, pause, take, RECORDS_AT_ONCE_MAX);
    },
    size: runs.size,
  };
}
