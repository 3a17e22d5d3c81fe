import { PerformanceObserver } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The longest of the turns that some work took: what it held the thread for, in milliseconds. */
export interface Held {
  readonly turns: number;
  /** CPU time of the thread, collections of garbage included. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Of collections alone: the longest that stopped the thread. */
  readonly gcMs: number;
  /** Which of the turns the longest by CPU time was. */
  readonly longestAt: number;
  /** CPU time of the longest turn of a thread that did nothing but count for as long: what the machine itself takes. */
  readonly machineMs: number;
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** The kernel counts a thread's time up to its last tick, or to when it last gave up the core: so it does, for a moment. */
const cpuMs = () => {
  Atomics.wait(nobody, 0, 0, 0.01);
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

export type Pause = () => Promise<void>;

export const turnOfTheLoop: Pause = () => new Promise((resolve) => setImmediate(resolve));

/** So many additions are some tenths of a millisecond. */
const COUNTED_AT_ONCE = 200_000;
const COUNTING_MS_MIN = 200;

/**
 * The longest turn of work of which all turns are alike and short, and that leaves nothing to collect. A virtual machine may
 * be without its core for a while, and its kernel may count that as the thread's time.
 */
async function counting(forMs: number): Promise<number> {
  const until = performance.now() + Math.max(COUNTING_MS_MIN, forMs);
  let [longest, sum] = [0, 0];
  while (performance.now() < until) {
    const beganMs = cpuMs();
    for (let n = 0; n < COUNTED_AT_ONCE; n++) sum = (sum + n) | 0;
    longest = Math.max(longest, cpuMs() - beganMs);
    await turnOfTheLoop();
  }
  // What nobody reads might not be counted at all.
  return sum === 0.5 ? 0 : longest;
}

/**
 * Work that says when a turn is over, or lets the event loop turn by itself. `prepare` and `finish` are not measured. What
 * the service does with the pause that it compiles by is `compiles`.
 */
export type Work = ((pause: Pause) => unknown) & {
  readonly prepare?: (pause: Pause) => Promise<unknown>;
  readonly finish?: () => Promise<unknown>;
  readonly compiles?: true;
};

/** Work that needs something to be done before it, in slices. */
export function prepareWith(
  prepare: (pause: Pause) => Promise<unknown>,
  work: (pause: Pause) => unknown,
  finish?: () => Promise<unknown>,
): Work {
  return Object.assign((pause: Pause) => work(pause), { prepare, ...(finish && { finish }) });
}

/** Lets collections of garbage move what was made to where a service has it that was started long ago. */
export async function settle(pause: Pause): Promise<void> {
  for (let round = 0; round < 200; round++) {
    Array.from({ length: 10_000 }, (_, at) => [round, at]);
    await pause();
  }
}

/**
 * Collects all that is dead, in one piece: what was laid out to prepare the work would else be collected while it runs, and
 * the end of that is measured in its place.
 */
export async function collectEverything(): Promise<void> {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  // Whoever hears of collections is told of this one first.
  await new Promise((resolve) => setTimeout(resolve, 50));
}

/** What the service does with the pause that it compiles by, though it compiles nothing. */
export function likeCompiling(work: Work): Work {
  return Object.assign(work, { compiles: true } as const);
}

/** Compiling, and what else the service does like it: of documents that it has had for a while. */
export function compilingWork(work: (pause: Pause) => unknown): Work {
  return Object.assign((pause: Pause) => work(pause), { prepare: settle, compiles: true } as const);
}

/**
 * Runs work and measures what lies between any two turns of the event loop while it runs: whoever else waits is answered
 * there, and nowhere else.
 */
export async function held(work: Work, compilePause: Pause = turnOfTheLoop): Promise<Held> {
  // Code that is compiled beside this thread keeps no process alive.
  const alive = setInterval(() => {}, 1_000);
  await work.prepare?.(turnOfTheLoop);
  let [turns, longestCpu, longestWall, longestAt] = [0, 0, 0, 0];
  let [cpuAt, wallAt] = [0, 0];
  const begin = () => {
    cpuAt = cpuMs();
    wallAt = performance.now();
  };
  const end = () => {
    longestWall = Math.max(longestWall, performance.now() - wallAt);
    const cpu = cpuMs() - cpuAt;
    if (cpu > longestCpu) [longestCpu, longestAt] = [cpu, turns];
    turns++;
  };
  let gcMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMs = Math.max(gcMs, duration);
  });
  observer.observe({ entryTypes: ["gc"] });
  await turnOfTheLoop();
  let over = false;
  const watch = () => {
    if (over) return;
    end();
    begin();
    setImmediate(watch);
  };
  setImmediate(watch);
  const beganMs = performance.now();
  begin();
  await work(work.compiles ? compilePause : turnOfTheLoop);
  over = true;
  end();
  const tookMs = performance.now() - beganMs;
  await new Promise((resolve) => setTimeout(resolve, 5));
  observer.disconnect();
  await work.finish?.();
  const machineMs = await counting(tookMs);
  clearInterval(alive);
  return { turns, cpuMs: longestCpu, wallMs: longestWall, gcMs, longestAt, machineMs };
}
