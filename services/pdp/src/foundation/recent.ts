import { LRUCache } from "lru-cache";
import { hashOfName } from "./name-hash.ts";
import { type Entry, find, type NameMap, without } from "./name-map.ts";

/**
 * Entries of one part. A map that grows, or that others are put into for those that go, is laid out anew from time to time,
 * all of it at once: of a hundred thousand entries that takes five milliseconds or ten. Parts that are filled alike would
 * all be laid out anew together, were there not a quarter of such a map to fill first, which takes each another time.
 */
const PART_MAX = 3_072;

/** Which of so many parts a text belongs to: the same for as long as this process lives, and texts that are alike to different ones. */
export function partOf(text: string, parts: number): number {
  return parts === 1 ? 0 : partOfHash(hashOfName(text), parts);
}

const partOfHash = (hash: number, parts: number): number => (parts === 1 ? 0 : mixed(hash) % parts);

/** The same of a number. Those that follow each other are strewn, or the parts would be filled in step. */
export function partOfNumber(number: bigint, parts: number): number {
  return parts === 1 ? 0 : mixed(Number(BigInt.asUintN(32, number))) % parts;
}

/** Every bit of a hash has to do with every bit of this. */
function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x045d9f3b);
  const whole = Math.imul(half ^ (half >>> 16), 0x045d9f3b);
  return (whole ^ (whole >>> 16)) >>> 0;
}

export const partsFor = (max: number): number => Math.ceil(max / PART_MAX);

/** The least recently used go first, of each part by itself. */
export interface Recent<Value extends object> extends NameMap<Value> {
  /** The same as `get`, which is no use of it. */
  peek(name: string): Value | undefined;
}

/**
 * What was used last, about as many as `max`. `gone` is called for what was pushed out or deleted. They are found by hashes of
 * their names, for the same reason as in an index of names: hundreds of thousands of texts would be keys. Names of one hash
 * are pushed out together.
 */
export function createRecent<Value extends object>(
  max: number,
  gone?: (value: Value, name: string) => void,
  hash: (name: string) => number = hashOfName,
): Recent<Value> {
  const count = partsFor(max);
  const each = Math.ceil(max / count);
  const dispose = (first: Entry<Value>, _: number, why: string) => {
    if (why === "set") return;
    for (let entry: Entry<Value> | undefined = first; entry; entry = entry.next) gone?.(entry.value, entry.name);
  };
  const parts = Array.from(
    { length: count },
    () => new LRUCache<number, Entry<Value>>({ max: each, ...(gone && { dispose }) }),
  );
  const of = (hashed: number) => parts[partOfHash(hashed, count)] as LRUCache<number, Entry<Value>>;
  const peek = (name: string) => {
    const hashed = hash(name);
    return find(of(hashed).peek(hashed), name)?.value;
  };
  return {
    peek,
    get(name) {
      const hashed = hash(name);
      return find(of(hashed).get(hashed), name)?.value;
    },
    has: (name) => peek(name) !== undefined,
    set(name, value) {
      const hashed = hash(name);
      const part = of(hashed);
      part.set(hashed, { name, value, next: without(part.peek(hashed), name) });
    },
    delete(name) {
      const hashed = hash(name);
      const part = of(hashed);
      const first = part.peek(hashed);
      const entry = find(first, name);
      if (!entry) return;
      const rest = without(first, name);
      if (rest) part.set(hashed, rest);
      if (rest) gone?.(entry.value, name);
      else part.delete(hashed);
    },
  };
}
