import type { Pause } from "../../foundation/in-slices.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";

/** Ends calls whose deadlines have passed, some in a turn: thousands may have named one moment, and each is written to. */
export interface Deadlines {
  /** Calls back at that moment, milliseconds since 1970, or a little later. Answers how to call that off. */
  watch(atMs: number, passed: () => void): () => void;
}

/** Deadlines within so long of each other share a timer. */
const MOMENT_MS = 5;
/** What is further away than a timer may be set for is looked at again then. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** What is done in one turn: so many calls, fewer where they take long. */
const AT_ONCE_MAX = 32;
const AT_ONCE_MS_MAX = 1;

interface Moment {
  readonly calls: Set<() => void>;
  timer: NodeJS.Timeout | undefined;
}

/** Those whose moments have come, in the order in which they came. */
function createEnding(pause: Pause) {
  const due: Moment[] = [];
  let isEnding = false;
  const endAll = async () => {
    let [inTurn, beganMs] = [0, performance.now()];
    for (let moment = due.shift(); moment; moment = due.shift()) {
      for (const passed of moment.calls) {
        moment.calls.delete(passed);
        passed();
        if (++inTurn < AT_ONCE_MAX && performance.now() - beganMs < AT_ONCE_MS_MAX) continue;
        await pause();
        [inTurn, beganMs] = [0, performance.now()];
      }
    }
    isEnding = false;
  };
  return (moment: Moment) => {
    due.push(moment);
    if (isEnding) return;
    isEnding = true;
    void endAll();
  };
}

/** `pause`: between slices of ending those that come together. */
export function createDeadlines(pause: Pause = turnOfTheLoop): Deadlines {
  const moments = new Map<number, Moment>();
  const end = createEnding(pause);
  const arm = (at: number, moment: Moment): void => {
    const leftMs = at * MOMENT_MS - Date.now();
    const come = () => {
      if (leftMs > TIMER_MS_MAX) return arm(at, moment);
      moments.delete(at);
      end(moment);
    };
    moment.timer = setTimeout(come, Math.min(leftMs, TIMER_MS_MAX)).unref();
  };
  return {
    watch(atMs, passed) {
      const at = Math.ceil(atMs / MOMENT_MS);
      let moment = moments.get(at);
      if (!moment) {
        moment = { calls: new Set(), timer: undefined };
        moments.set(at, moment);
        arm(at, moment);
      }
      const { calls } = moment;
      calls.add(passed);
      return () => {
        if (!calls.delete(passed) || calls.size > 0 || moments.get(at)?.calls !== calls) return;
        clearTimeout(moment.timer);
        moments.delete(at);
      };
    },
  };
}
