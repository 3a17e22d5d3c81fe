/** Lets the event loop turn, so that others are answered before the work goes on. */
export type Pause = () => Promise<void>;

/** Items that are looked at between two pauses, at some tenths of a microsecond each. */
const ITEMS_AT_ONCE_MAX = 1000;

/** Does something with every item, and awaits `pause` after each so many. */
export async function eachInSlices<Item>(
  items: Iterable<Item>,
  pause: Pause,
  work: (item: Item) => void,
  itemsAtOnceMax: number = ITEMS_AT_ONCE_MAX,
): Promise<void> {
  let count = 0;
  for (const item of items) {
    work(item);
    if (++count % itemsAtOnceMax === 0) await pause();
  }
}

/** Makes one thing of every item, and awaits `pause` after each so many. */
export async function mapInSlices<Item, Made>(
  items: Iterable<Item>,
  pause: Pause,
  make: (item: Item) => Made,
  itemsAtOnceMax?: number,
): Promise<Made[]> {
  const made: Made[] = [];
  await eachInSlices(items, pause, (item) => made.push(make(item)), itemsAtOnceMax);
  return made;
}

/** Texts in the order of their UTF-16 code units, as `sort` has them; awaits `pause` after each so many. */
export async function sortedInSlices(texts: readonly string[], pause: Pause): Promise<readonly string[]> {
  let runs: (readonly string[])[] = [];
  for (let from = 0; from < texts.length; from += ITEMS_AT_ONCE_MAX) {
    runs.push(texts.slice(from, from + ITEMS_AT_ONCE_MAX).sort());
    await pause();
  }
  while (runs.length > 1) {
    const merged: (readonly string[])[] = [];
    for (let at = 0; at < runs.length; at += 2) merged.push(await mergedOf(runs[at] ?? [], runs[at + 1] ?? [], pause));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergedOf(some: readonly string[], others: readonly string[], pause: Pause): Promise<readonly string[]> {
  const merged: string[] = [];
  let [left, right] = [0, 0];
  while (left < some.length || right < others.length) {
    const [one, other] = [some[left], others[right]];
    if (other === undefined || (one !== undefined && one <= other)) {
      merged.push(one as string);
      left++;
    } else {
      merged.push(other);
      right++;
    }
    if (merged.length % ITEMS_AT_ONCE_MAX === 0) await pause();
  }
  return merged;
}
