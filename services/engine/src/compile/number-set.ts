/** Numbers from zero on, ascending; a list where they are few, else a bit for each: they never take more than all of the bits. */
export type NumberSet = { readonly list: ArrayLike<number> } | { readonly bits: Uint32Array };

/** As many words of bits as there may be numbers. */
export function bitsFor(count: number): Uint32Array {
  return new Uint32Array(Math.ceil(count / 32));
}

export function setBit(bits: Uint32Array, number: number): void {
  bits[number >>> 5] = (bits[number >>> 5] ?? 0) | (1 << (number & 31));
}

/** The numbers whose bits are set, so many as `size`, apart from the bits. */
export function setOfBits(bits: Uint32Array, size: number): NumberSet {
  if (size > bits.length) return { bits: bits.slice() };
  const list = new Uint32Array(size);
  let at = 0;
  for (let number = nextBit(bits, 0); number !== noNumber; number = nextBit(bits, number + 1)) list[at++] = number;
  return { list };
}

/** Numbers that ascend, of as many as `count`. */
export function setOfList(list: readonly number[], count: number): NumberSet {
  if (list.length <= count / 32) return { list };
  const bits = bitsFor(count);
  for (const number of list) setBit(bits, number);
  return { bits };
}

/** A set that grows. */
export type GrowingSet = { readonly list: number[] } | { readonly bits: Uint32Array };

// Nothing is ever written to it.
export const emptySet: GrowingSet = { list: [] };

/**
 * The set with one number more, of as many as `count`, that is above all that it has: itself, or another in its place where
 * something had to be laid out.
 */
export function withNumber(set: GrowingSet, number: number, count: number): GrowingSet {
  if ("bits" in set) {
    setBit(set.bits, number);
    return set;
  }
  const { list } = set;
  if (list.length === 0) {
    // The machine lays out some 17 places for the first number that is pushed, and one for a list of one number.
    const first: number[] = [];
    first.push(number);
    return { list: first };
  }
  if (list.length < fewNumbers) {
    list.push(number);
    return set;
  }
  const bits = bitsFor(count);
  for (let at = 0; at < list.length; at++) setBit(bits, list[at] as number);
  setBit(bits, number);
  return { bits };
}

/** The same numbers, so many as `size`, in no more room than they need. */
export function grownUp(set: GrowingSet, size: number): NumberSet {
  return "bits" in set && size <= set.bits.length ? setOfBits(set.bits, size) : set;
}

const fewNumbers = 16;

/** What is above every number: there is noNumber. */
export const noNumber = Number.MAX_SAFE_INTEGER;

/** The first number of a set that is not below `from`; {@link noNumber} without one. */
export function nextOf(set: NumberSet, from: number): number {
  return "bits" in set ? nextBit(set.bits, from) : (set.list[placeOf(set.list, from)] ?? noNumber);
}

function nextBit(bits: Uint32Array, from: number): number {
  let at = from >>> 5;
  if (at >= bits.length) return noNumber;
  let word = ((bits[at] ?? 0) >>> (from & 31)) << (from & 31);
  while (word === 0) {
    if (++at >= bits.length) return noNumber;
    word = bits[at] ?? 0;
  }
  return 32 * at + 31 - Math.clz32(word & -word);
}

/** Where the first number stands that is not below `number`. */
function placeOf(list: ArrayLike<number>, number: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether two sets have a number in common. */
export function meet(one: NumberSet, other: NumberSet): boolean {
  if ("bits" in one) {
    return "bits" in other
      ? one.bits.some((word, at) => (word & (other.bits[at] ?? 0)) !== 0)
      : hasAny(one, other.list);
  }
  return "bits" in other || one.list.length < other.list.length ? hasAny(other, one.list) : hasAny(one, other.list);
}

function hasAny(set: NumberSet, numbers: ArrayLike<number>): boolean {
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] ?? 0;
    const there = "bits" in set ? hasBit(set.bits, number) : set.list[placeOf(set.list, number)] === number;
    if (there) return true;
  }
  return false;
}

export function hasBit(bits: Uint32Array, number: number): boolean {
  return (((bits[number >>> 5] ?? 0) >>> (number & 31)) & 1) === 1;
}

export function sameNumbers(one: NumberSet, other: NumberSet): boolean {
  const [mine, theirs] = [numbersOf(one), numbersOf(other)];
  if ("bits" in one !== "bits" in other || mine.length !== theirs.length) return false;
  for (let at = 0; at < mine.length; at++) if (mine[at] !== theirs[at]) return false;
  return true;
}

/** Equal for sets of the same numbers. */
export function hashOfNumbers(set: NumberSet): number {
  const numbers = numbersOf(set);
  let hash = 0x811c9dc5;
  for (let at = 0; at < numbers.length; at++) hash = Math.imul(hash ^ (numbers[at] ?? 0), 0x01000193);
  return hash;
}

const numbersOf = (set: NumberSet) => ("bits" in set ? set.bits : set.list);
