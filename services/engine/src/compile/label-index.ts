import { added } from "../added.ts";
import type { Steps } from "./steps.ts";
import { wideMap } from "./wide-map.ts";

/** Labels by name. */
export type Labels = Readonly<Record<string, string>>;
export type Label = readonly [name: string, value: string];

/** An item for agents that carry a label, the one it is found by, and some others. */
interface Labelled<Item> {
  readonly item: Item;
  readonly others: readonly Label[];
}

/** Items by the labels that an agent must carry for them, all of them: each is found by one, and the others are looked at. */
export interface LabelIndex<Item> {
  /** Those that ask for none. */
  everyones: Item[];
  /** By the first label's name, then by its value; undefined while no item asks for one. */
  labelled: Map<string, Map<string, Labelled<Item>[]>> | undefined;
}

export function newLabelIndex<Item>(): LabelIndex<Item> {
  return { everyones: [], labelled: undefined };
}

/** Adds an item, to be found by the first of its labels. */
export function addLabelled<Item>(index: LabelIndex<Item>, [first, ...others]: readonly Label[], item: Item): void {
  if (!first) {
    index.everyones = added(index.everyones, item);
    return;
  }
  const [name, value] = first;
  index.labelled ??= new Map();
  const values = index.labelled.get(name) ?? new Map<string, Labelled<Item>[]>();
  index.labelled.set(name, values);
  const there = values.get(value);
  if (there) there.push({ item, others });
  else values.set(value, [{ item, others }]);
}

/** Meets every item that asks for labels and whose labels an agent with `labels` carries, in no order. */
export function eachLabelled<Item>({ labelled }: LabelIndex<Item>, labels: Labels, meet: (item: Item) => void): void {
  if (!labelled) return;
  const names = Object.keys(labels);
  if (names.length < labelled.size) {
    for (const name of names) meetCarried(labelled.get(name), name, labels, meet);
  } else {
    for (const [name, values] of labelled) if (Object.hasOwn(labels, name)) meetCarried(values, name, labels, meet);
  }
}

function meetCarried<Item>(
  values: ReadonlyMap<string, readonly Labelled<Item>[]> | undefined,
  name: string,
  labels: Labels,
  meet: (item: Item) => void,
): void {
  const carried = values?.get(labels[name] ?? "");
  if (!carried) return;
  for (let at = 0; at < carried.length; at++) {
    const { item, others } = carried[at] as Labelled<Item>;
    if (carries(labels, others)) meet(item);
  }
}

/** What every object has by inheritance is no text, so no value is equal to it. */
function carries(labels: Labels, wanted: readonly Label[]): boolean {
  for (let at = 0; at < wanted.length; at++) {
    const label = wanted[at] as Label;
    if (labels[label[0]] !== label[1]) return false;
  }
  return true;
}

const labelCost = 0.2;

/** Each list with the label first that the fewest lists have, so that what is found by it is narrowed as far as may be. */
export function* rarestFirst(lists: Iterable<readonly Label[]>): Steps<readonly (readonly Label[])[]> {
  const counts = wideMap<number>();
  const all: (readonly Label[])[] = [];
  for (const labels of lists) {
    all.push(labels);
    for (const label of labels) {
      const key = keyOf(label);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    yield labels.length * labelCost;
  }
  const ordered: (readonly Label[])[] = [];
  for (const labels of all) {
    ordered.push(labels.length < 2 ? labels : firstBy(labels, (label) => counts.get(keyOf(label)) ?? 0));
    yield labels.length * labelCost;
  }
  return ordered;
}

const keyOf = (label: Label) => JSON.stringify(label);

/** The same items, the one first that counts least. */
function firstBy<Item>(items: readonly Item[], countOf: (item: Item) => number): readonly Item[] {
  const counts = items.map(countOf);
  const at = counts.indexOf(Math.min(...counts));
  return [...items.slice(at, at + 1), ...items.slice(0, at), ...items.slice(at + 1)];
}
