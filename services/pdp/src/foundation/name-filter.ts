import { partOf } from "./recent.ts";

/** So many bits for each name: one in some seventeen names that were not added is taken for one that was. */
const BITS_PER_NAME = 16;
const BITS_PER_BYTE = 8;

/**
 * Names that were added, of which there may be very many: none of them is kept, and so it may say that a name was added
 * that was not. Of one that was it always says so.
 */
export interface NameFilter {
  add(name: string): void;
  mayHave(name: string): boolean;
  /** How many were added, but for those that were taken for others. */
  readonly size: number;
}

/** For about `max` names: of more, it knows fewer and fewer apart. */
export function createNameFilter(max: number): NameFilter {
  const count = max * BITS_PER_NAME;
  const bytes = new Uint8Array(Math.ceil(count / BITS_PER_BYTE));
  let size = 0;
  const at = (bit: number) => bytes[Math.trunc(bit / BITS_PER_BYTE)] as number;
  const maskOf = (bit: number) => 1 << (bit % BITS_PER_BYTE);
  return {
    add(name) {
      const bit = partOf(name, count);
      if ((at(bit) & maskOf(bit)) !== 0) return;
      bytes[Math.trunc(bit / BITS_PER_BYTE)] = at(bit) | maskOf(bit);
      size++;
    },
    mayHave(name) {
      const bit = partOf(name, count);
      return (at(bit) & maskOf(bit)) !== 0;
    },
    get size() {
      return size;
    },
  };
}
