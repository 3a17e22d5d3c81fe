import type { Pause } from "./in-slices.ts";
import { turnOfTheLoop } from "./turn-of-the-loop.ts";

/** Shares the turns of the event loop among very many short things that one peer can have come at one moment. */
export interface CrowdRoom {
  /** Whether what comes now has to wait for its turn. */
  readonly full: boolean;
  /** To be told of what did not wait: it is one of those of this turn, or as many as it weighs. */
  take(weight?: number): void;
  /** Calls back in a later turn, which it is counted in, in the order in which it was asked. */
  enter(go: () => void): void;
}

interface Options {
  /** So many in one turn do not wait. */
  readonly atOnceMax: number;
  /** Lets the event loop turn while somebody waits; undefined: `turn`. */
  readonly pause?: Pause | undefined;
  /** The same while nobody does, which is nearly always: it should cost nothing. */
  readonly turn?: Pause;
}

export function createCrowdRoom({ atOnceMax, turn = turnOfTheLoop, pause = turn }: Options): CrowdRoom {
  const waiting = new Set<() => void>();
  let taken = 0;
  let isWatched = false;

  const watch = () => {
    if (isWatched) return;
    isWatched = true;
    const next = waiting.size > 0 ? pause : turn;
    void next().then(begin);
  };
  const begin = () => {
    isWatched = false;
    taken = 0;
    for (const go of waiting) {
      if (taken >= atOnceMax) break;
      waiting.delete(go);
      taken++;
      go();
    }
    if (waiting.size > 0 || taken >= atOnceMax / 2) watch();
  };

  return {
    get full() {
      return taken >= atOnceMax || waiting.size > 0;
    },
    take(weight = 1) {
      taken += weight;
      // Fewer are counted on from turn to turn: a turn of the loop for each call would cost a caller who is alone a twentieth.
      if (taken >= atOnceMax / 2) watch();
    },
    enter(go) {
      waiting.add(go);
      watch();
    },
  };
}
