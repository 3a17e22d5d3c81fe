import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Keeper, KeeperEnd } from "./keeper.ts";

/** Whether a process is there, ours or not. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as { code?: string }).code === "EPERM";
  }
}

/** Reads postmaster.pid: its process once it is ready and ours, told by the socket's directory. */
async function readyPid(data: string, place: string): Promise<number | null> {
  const lines = (await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
  return lines[7]?.trim() === "ready" && lines[4] === place ? Number(lines[0]) : null;
}

/** The process whose lock file stands in a data directory, if it is ours; ready or not. */
export async function postmasterPid(data: string, place: string): Promise<number | null> {
  const [pid, , , , socketDir] = (await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
  return socketDir === place ? Number(pid) : null;
}

export const POLL_MS = 10;
const PATIENCE_MS = 5_000;

/** The process of Postgres once it answers. Throws a `StartFailure` when it ends instead. */
export async function waitReady(
  keeper: Keeper,
  data: string,
  place: string,
  log: (line: string) => void,
): Promise<number> {
  let end: KeeperEnd | undefined;
  void keeper.ended.then((ended) => {
    end = ended;
  });
  // No limit of ours: after a crash Postgres replays its log for as long as that takes.
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const pid = await readyPid(data, place);
    if (pid !== null) return pid;
    if (end !== undefined) throw new StartFailure(end);
    if (waitedMs > 0 && waitedMs % PATIENCE_MS === 0) log("Postgres is not ready yet; it may be replaying its log");
    await delay(POLL_MS);
  }
}

/** Postgres ended before it was ready, with its last words. */
export class StartFailure extends Error {
  readonly end: KeeperEnd;
  constructor(end: KeeperEnd) {
    super(`Postgres ended before it was ready: ${end.lastWords || (end.signal ?? end.status)}`);
    this.end = end;
  }
}
