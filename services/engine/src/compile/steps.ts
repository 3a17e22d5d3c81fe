/**
 * Work that can be interrupted: it yields after every part what that part cost, in units of about ten microseconds, so
 * that whoever drives it may do something else in between.
 */
export type Steps<T> = Generator<number, T, undefined>;

/** Does all of the work at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

const sortedAtOnce = 500;

/** Sorts a list some items at a time; equal ones keep their order. */
export function* sortInSteps<Item>(items: readonly Item[], compare: (one: Item, other: Item) => number): Steps<Item[]> {
  let runs: Item[][] = [];
  for (let from = 0; from < items.length; from += sortedAtOnce) {
    runs.push(items.slice(from, from + sortedAtOnce).sort(compare));
    yield Math.min(sortedAtOnce, items.length) / 50;
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let at = 0; at < runs.length; at += 2) merged.push(yield* mergeInSteps(runs[at], runs[at + 1], compare));
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergeInSteps<Item>(
  some: readonly Item[] = [],
  others: readonly Item[] = [],
  compare: (one: Item, other: Item) => number,
): Steps<Item[]> {
  const merged: Item[] = [];
  let [left, right] = [0, 0];
  while (left < some.length || right < others.length) {
    const isLeft =
      right >= others.length || (left < some.length && compare(some[left] as Item, others[right] as Item) <= 0);
    merged.push((isLeft ? some[left++] : others[right++]) as Item);
    if (merged.length % sortedAtOnce === 0) yield sortedAtOnce / 100;
  }
  return merged;
}

/** What one slice may cost: some milliseconds. A single part may cost more, never a second one with it. */
export const sliceCostMax = 200;
/** The same in time, where code runs for the first time or the machine is busy. */
const sliceMsMax = 1.5;

/** Does the work in slices and awaits `pause` between them. */
export async function finishInSlices<T>(
  steps: Steps<T>,
  pause: () => Promise<void>,
  nowMs: () => number = () => performance.now(),
): Promise<T> {
  let cost = 0;
  let beganMs = nowMs();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    cost += step.value;
    if (cost < sliceCostMax && nowMs() - beganMs < sliceMsMax) continue;
    cost = 0;
    await pause();
    beganMs = nowMs();
  }
}
