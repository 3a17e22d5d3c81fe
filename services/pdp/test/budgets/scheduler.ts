import { setImmediate } from "node:timers/promises";
import type { Timing } from "../../src/ledger/index.ts";

/** Whose a step is: of a replica that may be paused or dead, or of nobody in particular, as what travels is. */
export interface Owner {
  readonly name: string;
  state: "running" | "paused" | "dead";
}

interface Step {
  readonly owner: Owner;
  /** What is under way, each as `what: where`. */
  readonly names: readonly string[];
  /** For whom it is, whoever does it. */
  readonly of: Owner;
  readonly go: () => void;
}

interface Timer {
  readonly owner: Owner;
  readonly atMs: number;
  readonly run: () => void;
}

/** Everything that can happen next; a seed picks what does. What a paused replica would do waits, of a dead one it is gone. */
export interface Scheduler {
  timing(owner: Owner): Omit<Timing, "random">;
  /** Waits until this step is picked. `of`: for whom it is, where somebody else does it. */
  step(owner: Owner, names: readonly string[], of?: Owner): Promise<void>;
  /** Lets one thing happen. False when nothing can. */
  turn(): Promise<boolean>;
  /** Waits until a step of this name is under way, for so many turns at most, and no longer than anything can happen. */
  until(name: string, turnsMax: number): Promise<void>;
  /** What is under way, of one owner or of all. */
  underWay(owner?: Owner): string[];
  /** From now on time passes only when nothing else can happen. */
  calm(): void;
  /** Ends all that a dead replica had begun. */
  forget(owner: Owner): void;
  /** What happened, newest last: kept only when asked for. */
  readonly trace: string[];
}

export const nobody: Owner = { name: "", state: "running" };

/** How likely it is that time passes although something else could happen. */
const TIME_PASSES = 0.05;

export function createScheduler(random: () => number, traced: boolean): Scheduler {
  let steps: Step[] = [];
  let timers: Timer[] = [];
  let waiting: { readonly name: string; turns: number; readonly go: () => void }[] = [];
  const trace: string[] = [];
  let nowMs = 0;
  let timePasses = TIME_PASSES;

  const canRun = ({ owner }: { readonly owner: Owner }) => owner.state === "running";

  const release = (over: (one: (typeof waiting)[number]) => boolean): boolean => {
    const released = waiting.filter(over);
    if (released.length === 0) return false;
    waiting = waiting.filter((one) => !released.includes(one));
    for (const { go } of released) go();
    return true;
  };
  const passTime = (ready: readonly Timer[]) => {
    const soonest = ready.reduce((first, timer) => (timer.atMs < first.atMs ? timer : first));
    timers.splice(timers.indexOf(soonest), 1);
    nowMs = Math.max(nowMs, soonest.atMs);
    soonest.run();
  };
  const take = (step: Step) => {
    steps.splice(steps.indexOf(step), 1);
    if (traced) trace.push(`${step.owner.name}${step.owner.name && " "}${step.names.join(" + ")}`);
    step.go();
  };

  return {
    trace,
    timing: (owner) => ({
      now: () => nowMs,
      turn: async () => undefined,
      after: (delayMs, run) => {
        const timer = { owner, atMs: nowMs + delayMs, run };
        timers.push(timer);
        return () => {
          const at = timers.indexOf(timer);
          if (at >= 0) timers.splice(at, 1);
        };
      },
    }),
    step: (owner, names, of = owner) =>
      new Promise((resolve) => {
        // What a dead one would wait for nobody waits for.
        if (owner.state === "dead") return;
        steps.push({ owner, names, of, go: resolve });
        release(({ name }) => names.includes(name));
      }),
    turn: async () => {
      // What was begun just now has come to its first step when this is over.
      if (!steps.some(canRun)) await setImmediate();
      const ready = steps.every(canRun) ? steps : steps.filter(canRun);
      const due = timers.every(canRun) ? timers : timers.filter(canRun);
      if (ready.length === 0 && due.length === 0) return release(() => true);
      release((one) => one.turns-- <= 0);
      const step = ready[Math.floor(random() * ready.length)];
      if (!step || (due.length > 0 && random() < timePasses)) passTime(due);
      else take(step);
      // Whatever follows from it at once has followed when this returns.
      await setImmediate();
      return true;
    },
    until: (name, turns) =>
      new Promise((resolve) => {
        if (steps.some(({ names }) => names.includes(name))) resolve();
        else waiting.push({ name, turns, go: resolve });
      }),
    underWay: (owner) => steps.flatMap((step) => (owner === undefined || step.of === owner ? step.names : [])),
    calm: () => {
      timePasses = 0;
    },
    forget: (owner) => {
      steps = steps.filter((step) => step.owner !== owner);
      timers = timers.filter((timer) => timer.owner !== owner);
    },
  };
}
