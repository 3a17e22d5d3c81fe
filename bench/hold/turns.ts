import { PerformanceObserver } from "node:perf_hooks";

/** The longest of the turns that some work took: what it held the thread for, in milliseconds. */
export interface Held {
  readonly turns: number;
  /** CPU time of the thread, collections of garbage included. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Of collections alone: the longest that stopped the thread. */
  readonly gcMs: number;
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** The kernel counts a thread's time up to its last tick, or to when it last gave up the core: so it does, for a moment. */
const cpuMs = () => {
  Atomics.wait(nobody, 0, 0, 0.01);
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

export type Pause = () => Promise<void>;

const turnOfTheLoop: Pause = () => new Promise((resolve) => setImmediate(resolve));

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
  let [turns, longestCpu, longestWall] = [0, 0, 0];
  let [cpuAt, wallAt] = [0, 0];
  const begin = () => {
    cpuAt = cpuMs();
    wallAt = performance.now();
  };
  const end = () => {
    longestWall = Math.max(longestWall, performance.now() - wallAt);
    longestCpu = Math.max(longestCpu, cpuMs() - cpuAt);
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
  begin();
  await work(work.compiles ? compilePause : turnOfTheLoop);
  over = true;
  end();
  await new Promise((resolve) => setTimeout(resolve, 5));
  observer.disconnect();
  await work.finish?.();
  clearInterval(alive);
  return { turns, cpuMs: longestCpu, wallMs: longestWall, gcMs };
}
