import { createNameFilter } from "../foundation/name-filter.ts";
import { oldestKeyOf } from "../foundation/oldest-key.ts";
import { partOf, partsFor } from "../foundation/recent.ts";

/** What is known of something after it was told of. */
export type Became<Entry> = ((entry: Entry) => Entry) | undefined;

/** Tellings of names, in their order: `at` is the number of the last one that something was looked at under. */
export interface Tellings<Entry> {
  last(): number;
  /** What of these names is told from here on is noted. */
  learn(names: readonly string[]): void;
  tell(names: ReadonlySet<string>, isKept: (key: string) => boolean, now: Became<Entry>): void;
  /** What was looked at until now is not known any more; without a tenant: of no tenant. */
  clear(tenant?: string): void;
  /** What has become of an entry since it was last looked at; undefined when nobody knows, or it is not what it was. */
  since(entry: Entry, at: number, tenant: string, names: readonly string[]): Entry | undefined;
}

/** When a name was told of. */
interface Told<Entry> {
  /** Last. */
  readonly at: number;
  /** Last without word of what became of it; 0: never. */
  readonly goneAt: number;
  readonly now: Became<Entry>;
}

/** How much is remembered. What was not looked at since the oldest of it is read again. */
export interface Remembering {
  /** Names that were told of. */
  readonly toldMax: number;
  /** Names that were learnt; up to twice as many are remembered. */
  readonly learntMax: number;
  /** Names that are noted one by one when they are told; more are kept together as they came. */
  readonly oneByOneMax: number;
}

const USUAL: Remembering = { toldMax: 100_000, learntMax: 200_000, oneByOneMax: 200 };

/** What was told of some names. Answers of each note up to when it is no more known what was told, if that moves. */
function createNotesOfPart<Entry>(toldMax: number) {
  const told = new Map<string, Told<Entry>>();
  const oldest = oldestKeyOf(told);
  return {
    of: (name: string) => told.get(name),
    note(name: string, at: number, now: Became<Entry>): number {
      const before = told.get(name);
      // Behind all others: the first one is the oldest.
      if (before) told.delete(name);
      told.set(name, { at, goneAt: now ? (before?.goneAt ?? 0) : at, now });
      const first = told.size > toldMax ? oldest() : undefined;
      if (first === undefined) return 0;
      const forgotten = told.get(first)?.at ?? 0;
      told.delete(first);
      return forgotten;
    },
  };
}

/** What was told name by name, in parts for the same reason as what is recent: each forgets its own oldest. */
function createNotes<Entry>(toldMax: number) {
  const count = partsFor(toldMax);
  const made = () => Array.from({ length: count }, () => createNotesOfPart<Entry>(Math.ceil(toldMax / count)));
  let parts = made();
  const partWith = (name: string) => parts[partOf(name, count)];
  return {
    of: (name: string) => partWith(name)?.of(name),
    note: (name: string, at: number, now: Became<Entry>): number => partWith(name)?.note(name, at, now) ?? 0,
    clear() {
      parts = made();
    },
  };
}

interface Together<Entry> {
  readonly at: number;
  readonly names: ReadonlySet<string>;
  readonly now: Became<Entry>;
}

/** What was told of many names together, as it came. Adding answers the same. */
function createTogether<Entry>(toldMax: number) {
  let all: Together<Entry>[] = [];
  let size = 0;
  return {
    since: (at: number) => (all.length === 0 ? all : all.filter((one) => one.at > at)),
    clear() {
      all = [];
      size = 0;
    },
    add(one: Together<Entry>): number {
      all.push(one);
      size += one.names.size;
      let forgotten = 0;
      while (size > toldMax) {
        const oldest = all.shift();
        size -= oldest?.names.size ?? size;
        forgotten = oldest?.at ?? 0;
      }
      return forgotten;
    },
  };
}

/**
 * Remembers what was told, by name. Nothing is done about entries when they are told of, of which there may be tens of
 * thousands: each is looked at when it is next needed.
 */
export function createTellings<Entry>({ toldMax, learntMax, oneByOneMax } = USUAL): Tellings<Entry> {
  const notes = createNotes<Entry>(toldMax);
  const together = createTogether<Entry>(toldMax);
  let floors = new Map<string, number>();
  // One that was not learnt may be noted too: that is one note more, and nobody looks at it.
  const nobody = () => createNameFilter(learntMax);
  let [learnt, learntBefore] = [nobody(), nobody()];
  let [last, floor, turnedAt] = [0, 0, 0];
  const forget = (at: number) => {
    floor = Math.max(floor, at);
  };

  return {
    last: () => last,
    learn(names) {
      for (const name of names) learnt.add(name);
      if (learnt.size <= learntMax) return;
      [learnt, learntBefore] = [nobody(), learnt];
      for (const name of names) learnt.add(name);
      forget(turnedAt);
      turnedAt = ++last;
    },
    tell(names, isKept, now) {
      last++;
      if (names.size > oneByOneMax) return forget(together.add({ at: last, names, now }));
      for (const name of names) {
        if (isKept(name) || learnt.mayHave(name) || learntBefore.mayHave(name)) forget(notes.note(name, last, now));
      }
    },
    clear(tenant) {
      last++;
      if (tenant !== undefined) {
        floors.set(tenant, last);
        return;
      }
      forget(last);
      // Others than these: emptying them takes as long as they are many.
      [floors, learnt, learntBefore] = [new Map(), nobody(), nobody()];
      for (const known of [notes, together]) known.clear();
    },
    since(entry, at, tenant, names) {
      if (at < floor || at < (floors.get(tenant) ?? 0)) return undefined;
      let now = entry;
      for (const name of names) {
        const told = notes.of(name);
        if (!told || told.at <= at) continue;
        if (told.goneAt > at) return undefined;
        now = told.now?.(now) ?? now;
      }
      for (const told of together.since(at)) {
        if (!names.some((name) => told.names.has(name))) continue;
        if (!told.now) return undefined;
        now = told.now(now);
      }
      return now;
    },
  };
}
