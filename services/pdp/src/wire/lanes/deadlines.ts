import type { CrowdRoom } from "../../foundation/crowd-room.ts";

/** Ends calls whose deadlines have passed, some in a turn: thousands may have named one moment, and each is written to. */
export interface Deadlines {
  /** Calls back at that moment, milliseconds since 1970, or a little later. Answers how to call that off. */
  watch(atMs: number, passed: () => void): () => void;
}

/** Deadlines within so long of each other share a timer. */
const MOMENT_MS = 5;
/** What is further away than a timer may be set for is looked at again then. */
const TIMER_MS_MAX = 2 ** 31 - 1;

interface Moment {
  readonly calls: Set<() => void>;
  timer: NodeJS.Timeout | undefined;
}

/** Those of one moment end in their turns in the room. */
export function createDeadlines(crowd: CrowdRoom): Deadlines {
  const moments = new Map<number, Moment>();
  const end = ({ calls }: Moment) =>
    crowd.each(calls, (passed) => {
      calls.delete(passed);
      passed();
    });
  const arm = (at: number, moment: Moment): void => {
    const leftMs = at * MOMENT_MS - Date.now();
    const come = () => {
      if (leftMs > TIMER_MS_MAX) return arm(at, moment);
      moments.delete(at);
      void end(moment);
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
