import { hashOfName } from "./name-hash.ts";

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

/** About so many names share a part. */
const PART_NAMES = 2048;
const FIRST_PLACES = 16;
const GOLDEN = 0.618;
/** Of a part that grows: so many places are looked at with each name that comes. Done long before it is full again. */
const MOVED_AT_ONCE = 16;

/**
 * So many names of a part are as many as so many places take. Half of these and more stay free, so that the next free one is
 * near; and parts, which are filled alike, do not all grow at one moment.
 */
const namesMax = (part: number, places: number): number => places * (0.25 + 0.25 * ((part * GOLDEN) % 1));

const noPlaces = new Int32Array(0);

/** Of the names of a part, where they are in the list of all: one more than that, 0 for a free place. */
interface Part {
  places: Int32Array;
  size: number;
  /** While it grows: where names were that came before that. Nothing is put here, and nothing taken. */
  before: Int32Array;
  /** How many of those places have been looked at. */
  moved: number;
}

/**
 * Items of one piece of a list. A longer one would be copied as a whole each time that it grows; and one of this length, laid
 * out whole, is so large that the machine never moves it, while collecting what is young moves shorter ones twice.
 */
const PIECE_ITEMS = 16_384;

function createLongList<Item>(count: number) {
  const pieces: Item[][] = [];
  let length = 0;
  return {
    at: (at: number) => pieces[Math.trunc(at / PIECE_ITEMS)]?.[at % PIECE_ITEMS],
    put(at: number, item: Item): void {
      (pieces[Math.trunc(at / PIECE_ITEMS)] as Item[])[at % PIECE_ITEMS] = item;
    },
    push(item: Item): number {
      if (length % PIECE_ITEMS === 0) pieces.push(count < PIECE_ITEMS ? [] : new Array(PIECE_ITEMS));
      const piece = pieces.at(-1) as Item[];
      piece[length % PIECE_ITEMS] = item;
      return ++length;
    },
    // Of a hundred thousand a generator or `flat` takes milliseconds, and this some tenths.
    items(): readonly Item[] {
      const full = Math.trunc(length / PIECE_ITEMS);
      return ([] as Item[]).concat(...pieces.slice(0, full), pieces[full]?.slice(0, length % PIECE_ITEMS) ?? []);
    },
    get length() {
      return length;
    },
  };
}

/**
 * For very many names, of which there are about as many as `count`. The machine keeps every text that is a key of a `Map` in
 * one table for the whole process, and lays that out anew in one piece when it doubles: 4 ms at 175,000 texts, 9 at twice as
 * many, 19 at four times; and a map of a million of them by itself takes 29. Names in here do not get there, and nothing here
 * grows in one piece. Looking one up takes some 60 ns more where the text was asked for before.
 */
export function createNameIndex<Value>(count: number, hash: (name: string) => number = hashOfName): NameIndex<Value> {
  const bits = Math.max(0, Math.ceil(Math.log2(Math.max(1, count) / PART_NAMES)));
  const parts: (Part | undefined)[] = Array.from({ length: 2 ** bits });
  const names = createLongList<string>(count);
  const values = createLongList<Value>(count);
  // The upper bits name the part, and the lower ones the place.
  const partOf = (hashed: number): number => (bits === 0 ? 0 : hashed >>> (32 - bits));
  /** Where the name is, or would be. */
  const placeOf = (places: Int32Array, hashed: number, name: string): number => {
    const last = places.length - 1;
    for (let place = hashed & last; ; place = (place + 1) & last) {
      const at = places[place] as number;
      if (at === 0 || names.at(at - 1) === name) return place;
    }
  };
  /** One more than where the name is in the list of all; 0 where it is not. */
  const numberOf = ({ places, before }: Part, hashed: number, name: string): number => {
    const at = places[placeOf(places, hashed, name)] as number;
    if (at > 0 || before.length === 0) return at;
    return before[placeOf(before, hashed, name)] as number;
  };
  const place = ({ places }: Part, hashed: number, name: string, at: number): void => {
    places[placeOf(places, hashed, name)] = at;
  };
  const moveSome = (part: Part): void => {
    const { before } = part;
    const end = Math.min(part.moved + MOVED_AT_ONCE, before.length);
    for (; part.moved < end; part.moved++) {
      const at = before[part.moved] as number;
      if (at === 0) continue;
      const name = names.at(at - 1) as string;
      place(part, hash(name), name, at);
    }
    if (end === before.length) part.before = noPlaces;
  };
  const grow = (part: Part): void => {
    part.before = part.places;
    part.moved = 0;
    part.places = new Int32Array(2 * part.places.length);
  };
  const newPart = (): Part => ({ places: new Int32Array(FIRST_PLACES), size: 0, before: noPlaces, moved: 0 });
  const indexOf = (name: string): number => {
    const hashed = hash(name);
    const part = parts[partOf(hashed)];
    return part ? numberOf(part, hashed, name) - 1 : -1;
  };
  return {
    set(name, value) {
      const hashed = hash(name);
      const number = partOf(hashed);
      const part = parts[number] ?? newPart();
      parts[number] = part;
      const at = numberOf(part, hashed, name);
      if (at > 0) {
        values.put(at - 1, value);
        return;
      }
      if (part.before.length > 0) moveSome(part);
      part.size++;
      if (part.size > namesMax(number, part.places.length)) grow(part);
      place(part, hashed, name, names.push(name));
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
