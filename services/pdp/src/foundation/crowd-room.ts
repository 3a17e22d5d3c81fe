import type { Pause } from "./in-slices.ts";
import { turnOfTheLoop } from "./turn-of-the-loop.ts";

/** Shares the turns of the event loop among very many short things that come at one moment. */
export interface CrowdRoom {
  /** Whether what comes now has to wait for its turn. */
  readonly full: boolean;
  /** To be told of what did not wait: it is one of those of this turn, or as many as it weighs. */
  take(weight?: number): void;
  /** Calls back in a later turn, which it is counted in, in the order in which it was asked. */
  enter(go: () => void): void;
  /** Calls back at once where there is room, else in a later turn. */
  come(go: () => void): void;
  /** The same for each of many; those that are gone before their turn are left out. Settles once all have had theirs. */
  each<Item>(items: Iterable<Item>, go: (item: Item) => void): Promise<void>;
}

interface Options {
  /** So many in one turn do not wait. */
  readonly atOnceMax?: number;
  /** Lets the event loop turn. */
  readonly turn?: Pause;
  /** What comes after the turn where somebody waits. */
  readonly pause?: Pause | undefined;
  /** Monotonic. */
  readonly nowMs?: () => number;
}

const AT_ONCE_MAX = 32;
/** Of those that waited, which are a crowd, as many in one turn as this takes. */
const AT_ONCE_MS_MAX = 1;

/** Does one of a crowd; answers whether there may be another. */
type Next = () => boolean;

/**
 * Resolves once what follows from what was done just now has been done: two rounds of ticks, since the end of a connection
 * is the end of its streams, which is the end of their calls, each told in a tick of its own, and promises settle between.
 */
async function followed(): Promise<void> {
  for (let round = 0; round < 2; round++) await new Promise<void>((resolve) => process.nextTick(resolve));
}

export function createCrowdRoom(options: Options = {}): CrowdRoom {
  const { atOnceMax = AT_ONCE_MAX, turn = turnOfTheLoop, pause, nowMs = () => performance.now() } = options;
  const waiting = new Set<Next>();
  let taken = 0;
  let isWatched = false;

  const isFull = () => waiting.size > 0 || taken >= atOnceMax;
  const watch = () => {
    if (isWatched) return;
    isWatched = true;
    void next();
  };
  const next = async () => {
    await turn();
    // After the turn: what ends a connection goes on in it, and a pause goes by what was laid out before.
    if (waiting.size > 0 && pause) await pause();
    await begin();
  };
  const begin = async (): Promise<void> => {
    taken = 0;
    const untilMs = nowMs() + AT_ONCE_MS_MAX;
    const isOver = () => taken >= atOnceMax || nowMs() >= untilMs;
    for (const one of waiting) {
      while (waiting.has(one) && !isOver()) {
        taken++;
        if (!one()) waiting.delete(one);
        await followed();
      }
      if (isOver()) break;
    }
    isWatched = waiting.size > 0 || taken >= atOnceMax / 2;
    if (isWatched) void next();
  };
  const line = (one: Next) => {
    waiting.add(one);
    watch();
  };
  const take = (weight = 1) => {
    taken += weight;
    // Fewer are counted on from turn to turn: a turn of the loop for each call would cost a caller who is alone a twentieth.
    if (taken >= atOnceMax / 2) watch();
  };
  const enter = (go: () => void) =>
    line(() => {
      go();
      return false;
    });

  return {
    ...{ take, enter },
    get full() {
      return isFull();
    },
    come(go) {
      if (isFull()) return enter(go);
      take();
      go();
    },
    each(items, go) {
      const left = items[Symbol.iterator]();
      return new Promise((resolve) =>
        line(() => {
          const { done, value } = left.next();
          if (done) resolve();
          else go(value);
          return !done;
        }),
      );
    },
  };
}
