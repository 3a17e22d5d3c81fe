import { randomInt } from "node:crypto";

/** What is looked up by name. A `Map` is one, too. */
export interface Named<Value> {
  get(name: string): Value | undefined;
  has(name: string): boolean;
  readonly size: number;
  /** In the order in which they came. */
  keys(): Iterable<string>;
  values(): Iterable<Value>;
}

/** One that is being filled. */
export interface NameIndex<Value> extends Named<Value> {
  /** The later of two of one name takes the place of the earlier. */
  set(name: string, value: Value): void;
}

/** Odd and with many bits, as MurmurHash2 has it: multiplying by it loses nothing. */
const SPREAD = 0x5bd1e995;
/** Half of the places stay free, so that the next free one is near. */
const PLACES_PER_NAME = 2;

/** Another in each process: nobody can choose names that share a place. */
const seed = randomInt(2 ** 32 - 1);

function hashOf(name: string): number {
  let hash = seed;
  for (let at = 0; at < name.length; at++) {
    hash = Math.imul(hash ^ name.charCodeAt(at), SPREAD);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** Items of one piece of a list: a longer one would be copied as a whole each time that it grows. */
const PIECE_ITEMS = 4096;

function createLongList<Item>() {
  const pieces: Item[][] = [];
  let length = 0;
  return {
    at: (at: number) => pieces[Math.trunc(at / PIECE_ITEMS)]?.[at % PIECE_ITEMS],
    put(at: number, item: Item): void {
      (pieces[Math.trunc(at / PIECE_ITEMS)] as Item[])[at % PIECE_ITEMS] = item;
    },
    push(item: Item): number {
      if (length % PIECE_ITEMS === 0) pieces.push([]);
      pieces.at(-1)?.push(item);
      return ++length;
    },
    *items(): Generator<Item> {
      for (const piece of pieces) yield* piece;
    },
    get length() {
      return length;
    },
  };
}

/**
 * For very many names, of which there are at most `count`. The machine keeps every text that is a key of a `Map` in one table
 * for the whole process, and lays that out anew in one piece when it doubles: 4 ms at 175,000 texts, 9 at twice as many, 19 at
 * four times; and a map of a million of them by itself takes 29. Names in here do not get there, and nothing here grows in one
 * piece. Looking one up takes some 60 ns more where the text was asked for before.
 */
export function createNameIndex<Value>(count: number, hash: (name: string) => number = hashOf): NameIndex<Value> {
  const places = 2 ** Math.ceil(Math.log2(Math.max(1, count) * PLACES_PER_NAME));
  // One more than where the name is in the list; 0: free.
  const taken = new Int32Array(places);
  const names = createLongList<string>();
  const values = createLongList<Value>();
  /** Where the name is, or would be. */
  const placeOf = (name: string): number => {
    for (let place = hash(name) & (places - 1); ; place = (place + 1) & (places - 1)) {
      const at = taken[place] as number;
      if (at === 0 || names.at(at - 1) === name) return place;
    }
  };
  const indexOf = (name: string): number => (taken[placeOf(name)] as number) - 1;
  return {
    set(name, value) {
      const place = placeOf(name);
      const at = taken[place] as number;
      if (at > 0) {
        values.put(at - 1, value);
        return;
      }
      if (names.length === count) throw new RangeError(`there is room for ${count} names`);
      taken[place] = names.push(name);
      values.push(value);
    },
    get(name) {
      const at = indexOf(name);
      return at < 0 ? undefined : values.at(at);
    },
    has: (name) => indexOf(name) >= 0,
    keys: names.items,
    values: values.items,
    get size() {
      return names.length;
    },
  };
}
