import type { Steps } from "./steps.ts";
import { wideMap } from "./wide-map.ts";

const labelCost = 0.1;

/** Labels by name. */
export type Labels = Readonly<Record<string, string>>;

/**
 * Items by the labels that an agent must carry for them, all of them: a path from the root has one label a step, so that
 * a walk along the agent's own labels meets exactly the items that are meant for it.
 */
export interface LabelNode<Item> {
  items: Item[];
  /** By the next label's name, then by its value. */
  children: Map<string, Map<string, LabelNode<Item>>> | undefined;
}

export function newLabelNode<Item>(): LabelNode<Item> {
  return { items: [], children: undefined };
}

/** The node of these labels, made where it is not there yet. The same labels must come in the same order every time. */
export function labelNode<Item>(
  root: LabelNode<Item>,
  labels: readonly (readonly [string, string])[],
): LabelNode<Item> {
  let node = root;
  for (const [name, value] of labels) {
    node.children ??= new Map();
    const values = node.children.get(name) ?? new Map<string, LabelNode<Item>>();
    node.children.set(name, values);
    const next = values.get(value) ?? newLabelNode<Item>();
    values.set(value, next);
    node = next;
  }
  return node;
}

/** Meets every node whose labels an agent with `labels` carries. */
export function walkLabels<Item>(root: LabelNode<Item>, labels: Labels, meet: (items: readonly Item[]) => void): void {
  if (root.items.length > 0) meet(root.items);
  const { children } = root;
  if (!children) return;
  const names = Object.keys(labels);
  if (names.length < children.size) {
    for (const name of names) step(children.get(name), name, labels, meet);
  } else {
    for (const [name, values] of children) if (Object.hasOwn(labels, name)) step(values, name, labels, meet);
  }
}

function step<Item>(
  values: ReadonlyMap<string, LabelNode<Item>> | undefined,
  name: string,
  labels: Labels,
  meet: (items: readonly Item[]) => void,
): void {
  const node = values?.get(labels[name] ?? "");
  if (node) walkLabels(node, labels, meet);
}

/**
 * Puts the labels of each list in one order for all lists: those that the fewest lists have come first, so that a walk
 * is narrowed from its first step.
 */
export function* rarestFirst(
  lists: readonly (readonly (readonly [string, string])[])[],
): Steps<(readonly (readonly [string, string])[])[]> {
  const key = (label: readonly [string, string]) => JSON.stringify(label);
  const counts = wideMap<number>();
  for (const labels of lists) {
    for (const label of labels) counts.set(key(label), (counts.get(key(label)) ?? 0) + 1);
    yield labels.length * labelCost;
  }
  const sorted: (readonly (readonly [string, string])[])[] = [];
  for (const labels of lists) {
    const counted = labels.map((label) => ({ label, text: key(label), count: counts.get(key(label)) ?? 0 }));
    counted.sort((one, other) => one.count - other.count || (one.text < other.text ? -1 : 1));
    sorted.push(counted.map(({ label }) => label));
    yield labels.length * labelCost;
  }
  return sorted;
}
