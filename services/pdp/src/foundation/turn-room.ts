/** How long work of this kind may have held the thread in a turn of the event loop for more of it to begin there. */
const BUSY_MS_MAX = 1;

/** Shares the turns of the event loop among pieces of work that each may be long. */
export interface TurnRoom {
  /**
   * To be asked right before a piece of work. Undefined: it may begin at once. Else it may once that resolves, in a later
   * turn, so that others are answered in between. What comes from one source goes on in the order in which it asked;
   * sources take turns.
   */
  enter(source: object | string): Promise<void> | undefined;
}

interface Options {
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (then: () => void) => void;
  readonly busyMsMax?: number;
}

type Source = object | string;

/**
 * Time is looked at when a piece wants to begin: one that is short costs no more than that, whatever it is about, and
 * after one that was long the next begins in a turn of its own. A piece is what runs from there until it waits for
 * something else.
 */
export function createTurnRoom({ nowMs, nextTurn, busyMsMax = BUSY_MS_MAX }: Options): TurnRoom {
  // The order of its keys is whose turn is next.
  const waiting = new Map<Source, (() => void)[]>();
  /** When the first piece of this turn began; undefined in a turn that has had none. */
  let beganMs: number | undefined;

  const begin = () => {
    beganMs = nowMs();
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
  const hasRoom = () => beganMs === undefined || nowMs() - beganMs < busyMsMax;
  const over = async () => {
    beganMs = undefined;
    if (waiting.size === 0) return;
    begin();
    do {
      letNext();
      // It waited for a promise that was resolved just now, so it has run before this goes on.
      await undefined;
    } while (waiting.size > 0 && hasRoom());
  };

  return {
    enter(source) {
      if (waiting.size === 0 && hasRoom()) {
        if (beganMs === undefined) begin();
        return undefined;
      }
      return new Promise((go) => {
        const pieces = waiting.get(source);
        if (pieces) pieces.push(go);
        else waiting.set(source, [go]);
      });
    },
  };
}

/** The room of this process. */
export const systemTurnRoom = (): TurnRoom =>
  createTurnRoom({ nowMs: () => performance.now(), nextTurn: (then) => void setImmediate(then) });
