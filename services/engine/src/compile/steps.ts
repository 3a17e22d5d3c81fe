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
