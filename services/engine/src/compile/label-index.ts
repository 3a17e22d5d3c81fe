import { added } from "../added.ts";
import { type Steps, sortInSteps } from "./steps.ts";
import { wideMap } from "./wide-map.ts";

/** Labels by name. */
export type Labels = Readonly<Record<string, string>>;
export type Label = readonly [name: string, value: string];

/**
 * The labels that an agent must carry for something, all of them. They are numbered: a thousand policies that ask for 64
 * labels each are told from each other by a few words of bits each, where comparing texts took the most of a call.
 */
export interface Wanted {
  /** The label that the fewest ask for: what is found by it is narrowed as far as may be. Undefined of no labels. */
  readonly rarest: number | undefined;
  /** All of them: places of words, each with the bits that must be set there. */
  readonly words: readonly number[];
}

/** Every label that something asks for, by number: those that most ask for come first, so that they share words. */
export interface LabelNumbers {
  /** Of each list of labels, in order. */
  readonly wanted: readonly Wanted[];
  /** The numbers of an agent's labels, which are the ones whose bits are set from now on. */
  mark(labels: Labels): readonly number[];
  readonly marked: Int32Array;
}

/** An item for agents that carry some labels. */
interface Labelled<Item> {
  readonly item: Item;
  readonly words: readonly number[];
}

/** Items by the labels that an agent must carry for them: each is found by one, and the others are looked at. */
export interface LabelIndex<Item> {
  /** Those that ask for none. */
  everyones: Item[];
  /** By the rarest label's number; undefined while no item asks for one. */
  labelled: Map<number, Labelled<Item>[]> | undefined;
}

export function newLabelIndex<Item>(): LabelIndex<Item> {
  return { everyones: [], labelled: undefined };
}

export function addLabelled<Item>(index: LabelIndex<Item>, { rarest, words }: Wanted, item: Item): void {
  if (rarest === undefined) {
    index.everyones = added(index.everyones, item);
    return;
  }
  index.labelled ??= new Map();
  const there = index.labelled.get(rarest);
  if (there) there.push({ item, words });
  else index.labelled.set(rarest, [{ item, words }]);
}

/** Meets every item that asks for labels and whose labels an agent with `labels` carries, in no order. */
export function eachLabelled<Item>(
  { labelled }: LabelIndex<Item>,
  numbers: LabelNumbers,
  labels: Labels,
  meet: (item: Item) => void,
): void {
  if (!labelled) return;
  const carried = numbers.mark(labels);
  for (let at = 0; at < carried.length; at++) {
    const found = labelled.get(carried[at] as number);
    if (found) meetCarried(found, numbers.marked, meet);
  }
}

function meetCarried<Item>(found: readonly Labelled<Item>[], marked: Int32Array, meet: (item: Item) => void): void {
  for (let at = 0; at < found.length; at++) {
    const { item, words } = found[at] as Labelled<Item>;
    if (areMarked(words, marked)) meet(item);
  }
}

function areMarked(words: readonly number[], marked: Int32Array): boolean {
  for (let at = 0; at < words.length; at += 2) {
    const bits = words[at + 1] as number;
    if (((marked[words[at] as number] as number) & bits) !== bits) return false;
  }
  return true;
}

const labelCost = 0.2;

interface Counted {
  readonly label: Label;
  count: number;
  number: number;
}

export function* numberLabels(lists: Iterable<readonly Label[]>): Steps<LabelNumbers> {
  const known = wideMap<Counted>();
  const counted: Counted[] = [];
  const all: Counted[][] = [];
  for (const labels of lists) {
    const its: Counted[] = [];
    for (const label of labels) {
      const key = JSON.stringify(label);
      const one = known.get(key) ?? { label, count: 0, number: 0 };
      if (one.count === 0) {
        known.set(key, one);
        counted.push(one);
      }
      one.count++;
      its.push(one);
    }
    all.push(its);
    yield labels.length * labelCost;
  }
  const byName = new Map<string, Map<string, number>>();
  const ordered = yield* sortInSteps(counted, (one, other) => other.count - one.count);
  for (const [number, one] of ordered.entries()) {
    one.number = number;
    const [name, value] = one.label;
    const values = byName.get(name) ?? new Map<string, number>();
    byName.set(name, values.set(value, number));
    yield labelCost;
  }
  const wanted: Wanted[] = [];
  for (const its of all) {
    wanted.push(wantedOf(its.map(({ number }) => number)));
    yield its.length * labelCost;
  }
  return { wanted, ...marking(byName, ordered.length) };
}

// Nothing is ever written to it.
const nobodys: Wanted = { rarest: undefined, words: [] };

function wantedOf(numbers: readonly number[]): Wanted {
  if (numbers.length === 0) return nobodys;
  const words = new Map<number, number>();
  for (const number of numbers) {
    const word = number >>> 5;
    words.set(word, (words.get(word) ?? 0) | (1 << (number & 31)));
  }
  return { rarest: Math.max(...numbers), words: [...words].flat() };
}

/** One agent's labels are marked at a time: deciding has no pause in it. */
function marking(
  byName: ReadonlyMap<string, ReadonlyMap<string, number>>,
  count: number,
): Pick<LabelNumbers, "mark" | "marked"> {
  const marked = new Int32Array(Math.ceil(count / 32));
  let numbers: number[] = [];
  return {
    marked,
    mark(labels) {
      for (let at = 0; at < numbers.length; at++) marked[(numbers[at] as number) >>> 5] = 0;
      numbers = [];
      const names = Object.keys(labels);
      for (let at = 0; at < names.length; at++) {
        const name = names[at] as string;
        const number = byName.get(name)?.get(labels[name] as string);
        if (number === undefined) continue;
        const word = number >>> 5;
        marked[word] = (marked[word] as number) | (1 << (number & 31));
        numbers.push(number);
      }
      return numbers;
    },
  };
}
