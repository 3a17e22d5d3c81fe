import type { Pause } from "./in-slices.ts";
import { turnOfTheLoop } from "./turn-of-the-loop.ts";

/** How long pieces of work may have held the thread in a turn of the event loop for another to begin there, as a rule. */
const BUSY_MS_MAX = 1;
/** Shorter pieces are not counted: that many come together costs nobody a turn, and they share a commit. */
const LONG_MS_MIN = 0.2;

type Source = object | string;

/** Shares the turns of the event loop among pieces of work of which some are long. */
export interface TurnRoom {
  /** To be asked right before a piece of work. While it is not, it may begin at once; else it has to enter first. */
  readonly full: boolean;
  /**
   * Resolves in a later turn, so that others are answered in between: to be waited for directly, or with one promise in
   * between. What comes from one source goes on in the order in which it asked; sources take turns.
   */
  enter(source: Source): Promise<void>;
  /** To be told after it, before anything is waited for: how long it took. */
  took(ms: number): void;
}

interface Options {
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (then: () => void) => void;
  /** How long pieces may have held the thread for another to begin: less where each has others do something after it. */
  readonly busyMsMax?: number | undefined;
}

/** Where no piece was long, nothing is waited for, and nothing is remembered. */
export function createTurnRoom({ nowMs, nextTurn, busyMsMax = BUSY_MS_MAX }: Options): TurnRoom {
  // The order of its keys is whose turn is next.
  const waiting = new Map<Source, (() => void)[]>();
  /** Of the long pieces of this turn. */
  let busyMs = 0;
  let isWatched = false;

  const watch = () => {
    if (isWatched) return;
    isWatched = true;
    nextTurn(over);
  };
  const letNext = () => {
    for (const [source, pieces] of waiting) {
      waiting.delete(source);
      const go = pieces.shift();
      if (pieces.length > 0) waiting.set(source, pieces);
      go?.();
      return;
    }
  };
  const over = async () => {
    isWatched = false;
    busyMs = 0;
    if (waiting.size === 0) return;
    const beganMs = nowMs();
    do {
      letNext();
      // It waited for a promise that was resolved just now, or for one behind that, so it has run before this goes on.
      for (let behind = 0; behind < 2; behind++) await undefined;
    } while (waiting.size > 0 && nowMs() - beganMs < busyMsMax);
    // After what was done: where a pause begins the turns, it goes by what that has laid out.
    if (waiting.size > 0) watch();
  };

  return {
    get full() {
      return waiting.size > 0 || busyMs >= busyMsMax;
    },
    enter(source) {
      watch();
      return new Promise((go) => {
        const pieces = waiting.get(source);
        if (pieces) pieces.push(go);
        else waiting.set(source, [go]);
      });
    },
    took(ms) {
      if (ms < LONG_MS_MIN) return;
      busyMs += ms;
      watch();
    },
  };
}

/** A room of this process; after `pause` another turn of it begins. */
export const systemTurnRoom = (pause: Pause = turnOfTheLoop, busyMsMax?: number): TurnRoom =>
  createTurnRoom({ nowMs: () => performance.now(), nextTurn: (then) => void pause().then(then), busyMsMax });

/** Nobody waits: for those who play time. */
export const noTurnRoom: TurnRoom = { full: false, enter: async () => {}, took: () => {} };
