import type { Pause } from "./in-slices.ts";
import type { TurnRoom } from "./turn-room.ts";

/** Work that yields after every part what that part cost, in units of about ten microseconds. */
export type Steps<T> = Generator<number, T, undefined>;

/** What is done between two pauses: about a millisecond. */
const SLICE_COST_MAX = 100;

/** Does all of the work at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Does the work in slices, and awaits `pause` between them. */
export async function finishInSlices<T>(steps: Steps<T>, pause: Pause): Promise<T> {
  for (let cost = 0; ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    cost += step.value;
    if (cost < SLICE_COST_MAX) continue;
    cost = 0;
    await pause();
  }
}

/**
 * Does the work: at once where it is short, and then nothing is waited for. What is longer is done in slices, each in a
 * turn of its own; the room is told how long each took.
 */
export function finishInTurns<T>(steps: Steps<T>, turns: TurnRoom, source: object | string): T | Promise<T> {
  let beganMs = performance.now();
  const end = () => turns.took(performance.now() - beganMs);
  for (let cost = 0; cost < SLICE_COST_MAX; ) {
    const step = steps.next();
    if (step.done) {
      end();
      return step.value;
    }
    cost += step.value;
  }
  const pause = async () => {
    end();
    await turns.enter(source);
    beganMs = performance.now();
  };
  return pause()
    .then(() => finishInSlices(steps, pause))
    .then((done) => {
      end();
      return done;
    });
}
