import { readFile } from "node:fs/promises";

const kib = 1024;

/** What a process holds in memory. MiB; NaN where the system does not tell. */
export interface Memory {
  readonly residentMiB: number;
  readonly peakMiB: number;
}

/** Reads `/proc/<pid>/status` (proc_pid_status(5)): VmRSS now, VmHWM at most, both in KiB. */
export async function memoryOf(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / kib;
  return { residentMiB: mib("VmRSS"), peakMiB: mib("VmHWM") };
}
