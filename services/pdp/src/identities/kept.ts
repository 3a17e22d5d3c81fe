import { LRUCache } from "lru-cache";
import type { Loaded } from "./identity-store.ts";

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
}

/** What was told while a read was on its way. */
interface Flight {
  readonly told: ReadonlySet<string>[];
  cleared: boolean;
}

/** Which keys have a name. */
function createNames() {
  const keys = new Map<string, Set<string>>();
  return {
    keysOf: (name: string): readonly string[] => [...(keys.get(name) ?? [])],
    add(name: string, key: string): void {
      const known = keys.get(name);
      if (known) known.add(key);
      else keys.set(name, new Set([key]));
    },
    remove(name: string, key: string): void {
      const known = keys.get(name);
      if (known?.delete(key) && known.size === 0) keys.delete(name);
    },
  };
}

export function createKept<Entry extends Loaded<Row>>({ max, namesOf, horizon, raise }: Options<Entry>): Kept<Entry> {
  const names = createNames();
  const entries = new LRUCache<string, Entry>({
    max,
    dispose: (entry, key) => {
      for (const name of namesOf(entry)) names.remove(name, key);
    },
  });
  const flights = new Set<Flight>();
  const shared = new Map<string, Promise<Entry | null>>();

  const put = (key: string, entry: Entry): Entry => {
    entries.set(key, entry);
    for (const name of namesOf(entry)) names.add(name, key);
    return entry;
  };
  const raised = (key: string, entry: Entry): Entry => {
    const security = horizon(entry.row.tenant);
    return security === undefined || entry.security >= security ? entry : put(key, raise(entry, security));
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
      if (!outdated(flight, key, entry)) return raised(key, put(key, entry));
      if (reads === READS_MAX) return entry;
    }
  };

  return {
    held(key) {
      const entry = entries.get(key);
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
      for (const name of told) {
        for (const key of [name, ...names.keysOf(name)]) {
          const entry = now && entries.peek(key);
          if (entry) put(key, now(entry));
          else entries.delete(key);
        }
      }
    },
    clear(tenant) {
      for (const flight of flights) flight.cleared = true;
      if (tenant === undefined) entries.clear();
      else for (const [key, entry] of entries) if (entry.row.tenant === tenant) entries.delete(key);
    },
  };
}
