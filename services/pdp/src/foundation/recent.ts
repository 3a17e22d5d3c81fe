import { LRUCache } from "lru-cache";
import { hashOfName } from "./name-hash.ts";

/**
 * Entries of one part. A map that grows, or that others are put into for those that go, is laid out anew from time to time,
 * all of it at once: of a hundred thousand entries that takes five milliseconds or ten. Parts that are filled alike would
 * all be laid out anew together, were there not a quarter of such a map to fill first, which takes each another time.
 */
const PART_MAX = 3_072;

/** Which of so many parts a text belongs to: the same for as long as this process lives, and texts that are alike to different ones. */
export function partOf(text: string, parts: number): number {
  return parts === 1 ? 0 : mixed(hashOfName(text)) % parts;
}

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
export type Recent<Value extends object> = Pick<LRUCache<string, Value>, "get" | "peek" | "has" | "set" | "delete">;

/** What was used last, about as many as `max`. `gone` is called for what was pushed out or deleted. */
export function createRecent<Value extends object>(
  max: number,
  gone?: (value: Value, name: string) => void,
): Recent<Value> {
  const count = partsFor(max);
  const each = Math.ceil(max / count);
  const dispose = gone && ((value: Value, name: string, why: string) => why !== "set" && gone(value, name));
  const parts = Array.from(
    { length: count },
    () => new LRUCache<string, Value>({ max: each, ...(dispose && { dispose }) }),
  );
  const of = (name: string) => parts[partOf(name, count)] as LRUCache<string, Value>;
  return {
    get: (name) => of(name).get(name),
    peek: (name) => of(name).peek(name),
    has: (name) => of(name).has(name),
    set: (name, value) => of(name).set(name, value),
    delete: (name) => of(name).delete(name),
  };
}
