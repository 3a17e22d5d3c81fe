import { createRecent } from "../foundation/recent.ts";
import type { Loaded } from "./identity-store.ts";
import { createTellings, type Remembering } from "./tellings.ts";

/** Reads of one row before what came is handed out for this one use, when it changes each time while it is on its way. */
const READS_MAX = 3;

interface Row {
  readonly tenant: string;
}

/**
 * Rows in memory, each as new as the newest news. What is told names every row that changed; so a row that stays here
 * untold is what it was, and its security revision is raised to that of the news when it is next looked at.
 *
 * Whoever holds an entry holds a row and a revision that were right together: neither changes afterwards.
 */
export interface Kept<Entry extends Loaded<Row>> {
  held(key: string): Entry | undefined;
  /**
   * Reads a row. It stays here unless what it depends on was told of while it was on its way; then it is read once more.
   * Loads of one key that are not `anew` share a read.
   */
  load(key: string, read: () => Promise<Entry | null>, anew: boolean): Promise<Entry | null>;
  /**
   * These rows, by key or by another name of theirs, are not what they were. They are read again when they are next
   * needed; with `now`, which knows what became of them, they stay as it says.
   */
  told(names: ReadonlySet<string>, now?: (entry: Entry) => Entry): void;
  /** Nothing that was read until now counts any more; without a tenant: of no tenant. */
  clear(tenant?: string): void;
}

interface Options<Entry extends Loaded<Row>> {
  readonly max: number;
  /** What else than its key an entry is told of by. */
  readonly namesOf: (entry: Entry) => readonly string[];
  /** The tenant's security revision in the newest news; undefined while there are none of it. */
  readonly horizon: (tenant: string) => bigint | undefined;
  /** The same entry, known to hold at the revision of the newest news. */
  readonly raise: (entry: Entry, security: bigint) => Entry;
  /** Absent: as much as a replica needs. */
  readonly remembering?: Remembering;
}

/** What was told while a read was on its way. */
interface Flight {
  readonly told: ReadonlySet<string>[];
  cleared: boolean;
}

/** An entry, and the last telling that it has been looked at under. */
interface Held<Entry> {
  readonly entry: Entry;
  readonly at: number;
}

/** The rows themselves, each as it is after all that was told of it. */
function createEntries<Entry extends Loaded<Row>>({
  max,
  namesOf,
  remembering,
}: Omit<Options<Entry>, "horizon" | "raise">) {
  const tellings = createTellings<Entry>(remembering);
  const held = createRecent<Held<Entry>>(max);
  const put = (key: string, entry: Entry): Entry => {
    held.set(key, { entry, at: tellings.last() });
    return entry;
  };
  const learn = (key: string, entry: Entry): Entry => {
    tellings.learn(namesOf(entry));
    return put(key, entry);
  };
  return {
    put,
    learn,
    delete: (key: string) => void held.delete(key),
    present(key: string): Entry | undefined {
      const known = held.get(key);
      if (!known) return undefined;
      const { entry, at } = known;
      if (at === tellings.last()) return entry;
      const now = tellings.since(entry, at, entry.row.tenant, [key, ...namesOf(entry)]);
      if (now) return learn(key, now);
      held.delete(key);
      return undefined;
    },
    tell: (names: ReadonlySet<string>, now: ((entry: Entry) => Entry) | undefined) =>
      tellings.tell(names, (key) => held.has(key), now),
    // They stay until they are looked at, or pushed out: emptying it would take as long as they are many.
    clear: tellings.clear,
  };
}

export function createKept<Entry extends Loaded<Row>>(options: Options<Entry>): Kept<Entry> {
  const { namesOf, horizon, raise } = options;
  const entries = createEntries<Entry>(options);
  const flights = new Set<Flight>();
  const shared = new Map<string, Promise<Entry | null>>();

  const raised = (key: string, entry: Entry): Entry => {
    const security = horizon(entry.row.tenant);
    return security === undefined || entry.security >= security ? entry : entries.put(key, raise(entry, security));
  };
  const outdated = ({ told, cleared }: Flight, key: string, entry: Entry): boolean =>
    cleared || (told.length > 0 && [key, ...namesOf(entry)].some((name) => told.some((some) => some.has(name))));

  const load = async (key: string, read: () => Promise<Entry | null>): Promise<Entry | null> => {
    for (let reads = 1; ; reads++) {
      const flight: Flight = { told: [], cleared: false };
      flights.add(flight);
      // From here to the cache nothing waits: what is told comes before, and is noted, or after, and finds the entry.
      let entry: Entry | null;
      try {
        entry = await read();
      } finally {
        flights.delete(flight);
      }
      if (!entry) {
        entries.delete(key);
        return null;
      }
      if (!outdated(flight, key, entry)) return raised(key, entries.learn(key, entry));
      if (reads === READS_MAX) return entry;
    }
  };

  return {
    held(key) {
      const entry = entries.present(key);
      return entry && raised(key, entry);
    },
    load(key, read, anew) {
      if (anew) return load(key, read);
      const under = shared.get(key);
      if (under) return under;
      const started = load(key, read).finally(() => shared.delete(key));
      shared.set(key, started);
      return started;
    },
    told(told, now) {
      if (told.size === 0) return;
      for (const flight of flights) flight.told.push(told);
      entries.tell(told, now);
    },
    clear(tenant) {
      for (const flight of flights) flight.cleared = true;
      entries.clear(tenant);
    },
  };
}
