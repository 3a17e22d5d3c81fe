import { setImmediate } from "node:timers/promises";
import type { Timing } from "../../src/ledger/index.ts";

/** Numbers from a seed, at least 0 and less than 1 (the mulberry32 generator). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Everything that can happen next; a seed picks what does. Time passes only when it is picked, or nothing else is left. */
export interface Scheduler {
  readonly timing: Omit<Timing, "random">;
  /** Waits until this step is picked. */
  step(name: string): Promise<void>;
  /** Lets one thing happen. False when nothing is left. */
  turn(): Promise<boolean>;
  /** How often each kind of step happened. */
  readonly taken: Map<string, number>;
}

/** `timePasses`: how likely it is that time passes although something else could happen. */
export function createScheduler(random: () => number, timePasses: number): Scheduler {
  const steps: { readonly name: string; readonly go: () => void }[] = [];
  const timers: { readonly atMs: number; readonly run: () => void }[] = [];
  const taken = new Map<string, number>();
  let nowMs = 0;

  const passTime = () => {
    const soonest = timers.reduce((first, timer) => (timer.atMs < first.atMs ? timer : first));
    timers.splice(timers.indexOf(soonest), 1);
    nowMs = Math.max(nowMs, soonest.atMs);
    soonest.run();
  };
  const takeStep = () => {
    const [step] = steps.splice(Math.floor(random() * steps.length), 1);
    if (!step) return;
    taken.set(step.name, (taken.get(step.name) ?? 0) + 1);
    step.go();
  };

  return {
    taken,
    timing: {
      now: () => nowMs,
      turn: async () => undefined,
      after: (delayMs, run) => {
        const timer = { atMs: nowMs + delayMs, run };
        timers.push(timer);
        return () => {
          const at = timers.indexOf(timer);
          if (at >= 0) timers.splice(at, 1);
        };
      },
    },
    step: (name) => new Promise((resolve) => steps.push({ name, go: resolve })),
    turn: async () => {
      if (steps.length === 0 && timers.length === 0) return false;
      if (timers.length > 0 && (steps.length === 0 || random() < timePasses)) passTime();
      else takeStep();
      // Whatever follows from it at once has followed when this returns.
      await setImmediate();
      return true;
    },
  };
}
