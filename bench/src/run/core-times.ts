import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

export interface CoreTime {
  readonly busyMs: number;
  readonly allMs: number;
}

/** What each core has done since the machine started, by the kernel's tick. */
export function coreTimes(): CoreTime[] {
  return cpus().map(({ times }) => {
    const busyMs = times.user + times.nice + times.sys + times.irq;
    return { busyMs, allMs: busyMs + times.idle };
  });
}

/** How busy each core was between two readings, 0 to 1. */
export function busyBetween(before: readonly CoreTime[], after: readonly CoreTime[]): number[] {
  return after.map(({ busyMs, allMs }, core) => {
    const from = before[core];
    return from === undefined || allMs <= from.allMs ? 0 : (busyMs - from.busyMs) / (allMs - from.allMs);
  });
}

const sampleMs = 200;

/** How busy other work keeps the cores, on average over them, while our servers wait for the next run: 0 to 1. */
export async function foreignBusy(): Promise<number> {
  const before = coreTimes();
  await sleep(sampleMs);
  const busy = busyBetween(before, coreTimes());
  return busy.reduce((sum, share) => sum + share, 0) / busy.length;
}
