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

/** Work that says when a turn is over. */
export type Work = (pause: () => Promise<void>) => unknown;

/** Runs work and measures each of its turns. */
export async function held(work: Work): Promise<Held> {
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
  begin();
  await work(async () => {
    end();
    await new Promise((resolve) => setImmediate(resolve));
    begin();
  });
  end();
  await new Promise((resolve) => setTimeout(resolve, 5));
  observer.disconnect();
  return { turns, cpuMs: longestCpu, wallMs: longestWall, gcMs };
}
