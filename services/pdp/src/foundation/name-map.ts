import { hashOfName } from "./name-hash.ts";

/** What is kept of a name, and of those before it that have its hash. */
export interface Entry<Value> {
  readonly name: string;
  readonly value: Value;
  readonly next: Entry<Value> | undefined;
}

export function find<Value>(first: Entry<Value> | undefined, name: string): Entry<Value> | undefined {
  let entry = first;
  while (entry && entry.name !== name) entry = entry.next;
  return entry;
}

export function without<Value>(first: Entry<Value> | undefined, name: string): Entry<Value> | undefined {
  if (!first || first.name === name) return first?.next;
  return { ...first, next: without(first.next, name) };
}

/** What is looked up by name, and taken out again. */
export interface NameMap<Value> {
  get(name: string): Value | undefined;
  has(name: string): boolean;
  set(name: string, value: Value): void;
  delete(name: string): void;
}

/**
 * For names that come and go, very many in all. It finds them by their hashes: a text that was once the key of a `Map` stands
 * in the machine's table of all such texts until everything is collected, and that table is laid out anew in one piece.
 */
export function createNameMap<Value>(hash: (name: string) => number = hashOfName): NameMap<Value> {
  const firsts = new Map<number, Entry<Value>>();
  return {
    get: (name) => find(firsts.get(hash(name)), name)?.value,
    has: (name) => find(firsts.get(hash(name)), name) !== undefined,
    set(name, value) {
      const hashed = hash(name);
      firsts.set(hashed, { name, value, next: without(firsts.get(hashed), name) });
    },
    delete(name) {
      const hashed = hash(name);
      const first = firsts.get(hashed);
      if (!find(first, name)) return;
      const rest = without(first, name);
      if (rest) firsts.set(hashed, rest);
      else firsts.delete(hashed);
    },
  };
}
