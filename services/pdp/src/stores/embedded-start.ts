import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Fault } from "../foundation/fault.ts";
import { adoptCluster, type DataDirectory } from "./data-directory.ts";
import { postgresOptions, SOCKET_PORT } from "./embedded-settings.ts";
import { type Keeper, type KeeperEnd, type RunAs, startKeeper } from "./keeper.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { alive, POLL_MS, postmasterPid, StartFailure, waitReady } from "./postmaster.ts";
import { type Patience, standingAt, watchUntilStuck } from "./stuck.ts";

/** How an embedded Postgres is started, every time. */
export interface Setup {
  readonly binaries: PostgresBinaries;
  /** Absent: it is thrown away with its place. */
  readonly directory?: DataDirectory;
  readonly runAs?: RunAs;
  readonly durable: boolean;
  readonly tcpPort?: number;
  /** Where its socket is; the keeper makes it and removes it. */
  readonly place: string;
  readonly patience: Patience;
  readonly lookEveryMs: number;
  readonly log: (line: string) => void;
}

export interface Started {
  readonly keeper: Keeper;
  readonly pid: number;
  readonly data: string;
}

/** sockaddr_un holds 104 bytes on macOS, 108 on Linux; the rest of the path is `/remit-pg-0123456789abcdef/.s.PGSQL.65535`. */
const TEMPORARY_ROOT_BYTES_MAX = 60;

/** A short path of our own below the temporary directory. The keeper makes it and removes it. */
export function temporaryPlace(runAs: RunAs | undefined): string {
  const own = tmpdir();
  const root = runAs === undefined && Buffer.byteLength(own) <= TEMPORARY_ROOT_BYTES_MAX ? own : "/tmp";
  return join(root, `remit-pg-${randomBytes(8).toString("hex")}`);
}

function explain(failure: StartFailure, { tcpPort, directory }: Setup): Fault {
  const { lastWords } = failure.end;
  if (/could not bind IPv4 address/.test(lastWords)) {
    return new Fault("precondition", "port_in_use", `port ${tcpPort} on 127.0.0.1 is in use`, {
      fix: "choose another port for Postgres, or leave it out: the Unix socket needs none",
    });
  }
  const holder = /lock file "postmaster.pid" already exists[\s\S]*?PID (\d+)/.exec(lastWords)?.[1];
  if (holder !== undefined) {
    return new Fault(
      "precondition",
      "data_dir_in_use",
      `the data directory ${directory?.path} is in use by another Postgres, process ${holder}`,
      { fix: "stop the other `remit serve`, or name another directory in REMIT_DATA_DIR" },
    );
  }
  // Another Postgres has made its lock file and not yet written its number into it.
  if (/lock file "postmaster.pid" is empty|bogus data in lock file/.test(lastWords)) {
    return new Fault("unavailable", "data_dir_starting", `another Postgres is starting on ${directory?.path}`, {
      fix: "wait a moment, then start again",
    });
  }
  // Its postmaster is gone, and some of its processes have not noticed.
  if (/pre-existing shared memory block/.test(lastWords)) {
    const message = `processes of a Postgres that was killed still use ${directory?.path}`;
    return new Fault("unavailable", "data_dir_ending", message, { fix: "end them, then start again" });
  }
  return new Fault("unavailable", "embedded_failed", failure.message, {}, failure);
}

/** Ends a Postgres at once, as a crash does: nothing that was committed is lost. */
export function quit(pid: number): void {
  try {
    process.kill(pid, "SIGQUIT");
  } catch {
    // It is gone already.
  }
}

/** Looks at a Postgres that keeps its data, and calls back once it has let nobody in for too long. Answers how to stop. */
export function watchFor(setup: Setup, onStuck: () => void): () => void {
  const { directory, place, patience, lookEveryMs, tcpPort = SOCKET_PORT, log } = setup;
  // What is thrown away cannot be started anew.
  if (!directory) return () => {};
  const say = () => {
    log("Postgres has let nobody in for too long: it is ended and started anew");
    onStuck();
  };
  return watchUntilStuck({ patience, everyMs: lookEveryMs, look: () => standingAt(place, tcpPort), onStuck: say });
}

/** It let nobody in for too long while it started, and was ended. */
class StuckFailure extends Error {}

/** Throws a fault that says what to do when Postgres ends before it is ready. `onKeeper` hears of its keeper at once. */
export async function start(setup: Setup, onKeeper: (keeper: Keeper) => void = () => {}): Promise<Started> {
  const { binaries, directory, durable, runAs, place, log } = setup;
  const data = directory?.data ?? join(place, "data");
  const fresh = directory === undefined ? data : join(directory.area, `new-${randomBytes(8).toString("hex")}`);
  const initialise = directory === undefined || !directory.initialised;
  const keeper = await startKeeper({
    place,
    scrap: initialise && directory !== undefined ? fresh : "",
    stopSignal: directory === undefined ? "QUIT" : "INT",
    ...(initialise ? { initdb: { path: binaries.initdb, directory: fresh, sync: durable } } : {}),
    postgres: binaries.postgres,
    data,
    options: postgresOptions(setup),
    ...(runAs === undefined ? {} : { runAs }),
  });
  onKeeper(keeper);
  let isStuck = false;
  const stopWatching = watchFor(setup, async () => {
    const pid = await postmasterPid(data, place);
    if (pid === null) return;
    isStuck = true;
    quit(pid);
  });
  try {
    if (initialise && directory !== undefined) {
      await Promise.race([keeper.initialised, keeper.ended]);
      await adoptCluster(fresh, directory).catch((cause: unknown) => {
        if ((cause as { code?: string }).code !== "ENOENT") throw cause;
      });
      keeper.proceed();
    }
    return { keeper, data, pid: await waitReady(keeper, data, place, log) };
  } catch (cause) {
    keeper.release();
    await keeper.ended;
    if (isStuck) throw new StuckFailure();
    throw cause instanceof StartFailure ? explain(cause, setup) : cause;
  } finally {
    stopWatching();
  }
}

/** Who last served from a data directory, told from its file; null when nobody or when it is gone. */
async function livingOwner(directory: DataDirectory): Promise<number | null> {
  const pid = Number(await readFile(join(directory.path, "owner"), "utf8").catch(() => ""));
  return Number.isInteger(pid) && pid > 1 && alive(pid) ? pid : null;
}

/** These pass by themselves. */
const PASSING: readonly (string | undefined)[] = ["data_dir_starting", "data_dir_ending"];
const INHERIT_TRIES = 300;
const INHERIT_PAUSE_MS = 100;

/**
 * Starts on a data directory. When its last owner was killed a moment ago, its Postgres is still being ended by its
 * keeper: that is waited for, and so is what a killed Postgres left. When the owner lives, the directory is in use.
 */
export async function startOnDirectory(
  directory: DataDirectory,
  log: (line: string) => void,
  begin: () => Promise<Started>,
): Promise<Started> {
  for (let tries = 1; ; ) {
    try {
      return await begin();
    } catch (failure) {
      if (failure instanceof StuckFailure) continue;
      const reason = failure instanceof Fault ? failure.reason : undefined;
      if (PASSING.includes(reason) && tries < INHERIT_TRIES) {
        if (tries++ === 1 && failure instanceof Fault) log(`${failure.message}: it is waited for`);
        await delay(INHERIT_PAUSE_MS);
        continue;
      }
      const busy = reason === "data_dir_in_use";
      if (!busy || tries++ >= INHERIT_TRIES || (await livingOwner(directory)) !== null) throw failure;
      const owned = await readFile(join(directory.path, "owner"), "utf8").catch(() => null);
      if (owned === null) throw failure;
      await delay(INHERIT_PAUSE_MS);
    }
  }
}

const SWEEP_TRIES = 1_000;

/** Ends what a killed keeper left. */
export async function sweep(end: KeeperEnd, pid: number, place: string): Promise<void> {
  if (end.signal === null) return;
  quit(pid);
  // Bounded: where nobody reaps orphans, a dead one keeps its number.
  for (let tries = 0; tries < SWEEP_TRIES && alive(pid); tries++) await delay(POLL_MS);
  await rm(place, { recursive: true, force: true });
}
