import { randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Fault } from "../foundation/fault.ts";
import { adoptCluster, type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { prepareRoles } from "./embedded-roles.ts";
import { type Keeper, type KeeperEnd, type RunAs, startKeeper } from "./keeper.ts";
import { findPostgres, type PostgresBinaries } from "./postgres-binaries.ts";
import { alive, POLL_MS, StartFailure, waitReady } from "./postmaster.ts";

export interface EmbeddedOptions {
  /** Absent: a temporary one that is gone when the process is, however it ends. */
  readonly dataDir?: string;
  /** False: nothing is synced to the disk; for what is thrown away. */
  readonly durable: boolean;
  /** Also listen on 127.0.0.1, with passwords. Absent: a Unix socket alone. */
  readonly tcpPort?: number;
  readonly log?: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** URLs over the Unix socket, for `pg` and libpq alike. Roles: remit, remit_owner, remit_service. */
  readonly superuserUrl: string;
  readonly ownerUrl: string;
  readonly runtimeUrl: string;
  /** The same over TCP, when a port was asked for. */
  readonly tcp?: { readonly ownerUrl: string; readonly runtimeUrl: string };
  readonly dataDir: string;
  /** Where the socket is, `.s.PGSQL.<port>`. */
  readonly socketDir: string;
  /** Process id of Postgres. */
  readonly pid: number;
  /** Resolves when Postgres ended, asked or not. `expected` is false when nobody called `stop`. */
  readonly ended: Promise<{ readonly expected: boolean; readonly lastWords: string }>;
  /** Ends Postgres and removes what was temporary. Resolves when all of it is gone. */
  stop(): Promise<void>;
}

/** Postgres refuses to run as root; 65534 is nobody on Linux and owns nothing else. */
const NOBODY: RunAs = { uid: 65_534, gid: 65_534 };
const PORT = 5432;
/** sockaddr_un holds 104 bytes on macOS, 108 on Linux; the rest of the path is `/remit-pg-0123456789abcdef/.s.PGSQL.65535`. */
const TEMPORARY_ROOT_BYTES_MAX = 60;

const ALWAYS = {
  unix_socket_permissions: "0700",
  timezone: "UTC",
  log_timezone: "UTC",
  // Statements that fail are the caller's to log; this log is for what Postgres itself has to say.
  log_min_messages: "log",
  log_checkpoints: "off",
  log_autovacuum_min_duration: "-1",
  max_connections: "200",
  jit: "off",
  io_method: "sync",
  max_parallel_workers_per_gather: "0",
  max_logical_replication_workers: "0",
  checkpoint_timeout: "15min",
};
const DURABLE = {
  synchronous_commit: "on",
  fsync: "on",
  min_wal_size: "256MB",
  max_wal_size: "2GB",
  // Filling a new segment of the log with zeros stops every commit for some 50 ms; until the first checkpoint has left
  // segments to use again, that was every three seconds at 2,000 records a second. A commit syncs its log either way.
  wal_init_zero: "off",
};
const THROW_AWAY = {
  synchronous_commit: "off",
  fsync: "off",
  full_page_writes: "off",
  min_wal_size: "32MB",
  max_wal_size: "256MB",
};

function postgresOptions(options: EmbeddedOptions): string[] {
  const settings = {
    ...ALWAYS,
    ...(options.durable ? DURABLE : THROW_AWAY),
    listen_addresses: options.tcpPort === undefined ? "" : "127.0.0.1",
    port: String(options.tcpPort ?? PORT),
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** A short path of our own below the temporary directory. The keeper makes it and removes it. */
function temporaryPlace(runAs: RunAs | undefined): string {
  const own = tmpdir();
  const root = runAs === undefined && Buffer.byteLength(own) <= TEMPORARY_ROOT_BYTES_MAX ? own : "/tmp";
  return join(root, `remit-pg-${randomBytes(8).toString("hex")}`);
}

function explain(failure: StartFailure, options: EmbeddedOptions): Fault {
  const { lastWords } = failure.end;
  if (/could not bind IPv4 address/.test(lastWords)) {
    return new Fault("precondition", "port_in_use", `port ${options.tcpPort} on 127.0.0.1 is in use`, {
      fix: "choose another port for Postgres, or leave it out: the Unix socket needs none",
    });
  }
  const holder = /lock file "postmaster.pid" already exists[\s\S]*?PID (\d+)/.exec(lastWords)?.[1];
  if (holder !== undefined) {
    return new Fault(
      "precondition",
      "data_dir_in_use",
      `the data directory ${options.dataDir} is in use by another Postgres, process ${holder}`,
      { fix: "stop the other `remit serve`, or name another directory in REMIT_DATA_DIR" },
    );
  }
  // Another Postgres has made its lock file and not yet written its number into it.
  if (/lock file "postmaster.pid" is empty|bogus data in lock file/.test(lastWords)) {
    return new Fault("unavailable", "data_dir_starting", `another Postgres is starting on ${options.dataDir}`, {
      fix: "wait a moment, then start again",
    });
  }
  return new Fault("unavailable", "embedded_failed", failure.message, {}, failure);
}

/** Who last served from a data directory, told from its file; null when nobody or when it is gone. */
async function livingOwner(directory: DataDirectory): Promise<number | null> {
  const pid = Number(await readFile(join(directory.path, "owner"), "utf8").catch(() => ""));
  return Number.isInteger(pid) && pid > 1 && alive(pid) ? pid : null;
}

const INHERIT_TRIES = 300;
const INHERIT_PAUSE_MS = 100;

/**
 * Starts on a data directory. When its last owner was killed a moment ago, its Postgres is still being ended by its
 * keeper: that is waited for. When the owner lives, the directory is in use.
 */
async function startOnDirectory(directory: DataDirectory, start: () => Promise<Started>): Promise<Started> {
  for (let tries = 1; ; tries++) {
    try {
      return await start();
    } catch (failure) {
      const reason = failure instanceof Fault ? failure.reason : undefined;
      if (reason === "data_dir_starting" && tries < INHERIT_TRIES) {
        await delay(INHERIT_PAUSE_MS);
        continue;
      }
      const busy = reason === "data_dir_in_use";
      if (!busy || tries >= INHERIT_TRIES || (await livingOwner(directory)) !== null) throw failure;
      const owned = await readFile(join(directory.path, "owner"), "utf8").catch(() => null);
      if (owned === null) throw failure;
      await delay(INHERIT_PAUSE_MS);
    }
  }
}

interface Started {
  readonly keeper: Keeper;
  readonly pid: number;
  readonly place: string;
  readonly data: string;
}

async function start(
  options: EmbeddedOptions,
  binaries: PostgresBinaries,
  directory: DataDirectory | undefined,
  runAs: RunAs | undefined,
): Promise<Started> {
  const log = options.log ?? (() => {});
  const place = temporaryPlace(runAs);
  const data = directory?.data ?? join(place, "data");
  const fresh = directory === undefined ? data : join(directory.area, `new-${randomBytes(8).toString("hex")}`);
  const initialise = directory === undefined || !directory.initialised;
  const keeper = await startKeeper({
    place,
    scrap: initialise && directory !== undefined ? fresh : "",
    stopSignal: directory === undefined ? "QUIT" : "INT",
    ...(initialise ? { initdb: { path: binaries.initdb, directory: fresh, sync: options.durable } } : {}),
    postgres: binaries.postgres,
    data,
    options: postgresOptions(options),
    ...(runAs === undefined ? {} : { runAs }),
  });
  try {
    if (initialise && directory !== undefined) {
      await Promise.race([keeper.initialised, keeper.ended]);
      await adoptCluster(fresh, directory).catch((cause: unknown) => {
        if ((cause as { code?: string }).code !== "ENOENT") throw cause;
      });
      keeper.proceed();
    }
    return { keeper, data, place, pid: await waitReady(keeper, data, place, log) };
  } catch (cause) {
    keeper.release();
    await keeper.ended;
    throw cause instanceof StartFailure ? explain(cause, options) : cause;
  }
}

const SWEEP_TRIES = 1_000;

/** Ends what a killed keeper left. */
async function sweep(end: KeeperEnd, pid: number, place: string): Promise<void> {
  if (end.signal === null) return;
  try {
    process.kill(pid, "SIGQUIT");
  } catch {
    // It is gone already.
  }
  // Bounded: where nobody reaps orphans, a dead one keeps its number.
  for (let tries = 0; tries < SWEEP_TRIES && alive(pid); tries++) await delay(POLL_MS);
  await rm(place, { recursive: true, force: true });
}

/**
 * Starts a Postgres of our own, with the roles `remit_owner` (owns the database `remit`), `remit_runtime` (a group) and
 * `remit_service` (a login member of it). Resolves when it answers. Whoever may enter the socket's directory — the same
 * user, and root — may connect as any role. Throws a fault that names the directory or port and the fix.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const runAs = process.getuid?.() === 0 ? NOBODY : undefined;
  const log = options.log ?? (() => {});
  const binaries = await findPostgres({ runAs, log });
  const { major } = binaries;
  const directory =
    options.dataDir === undefined ? undefined : await openDataDirectory({ path: options.dataDir, major, runAs, log });
  const begin = () => start(options, binaries, directory, runAs);
  const { keeper, pid, place, data } = await (directory === undefined ? begin() : startOnDirectory(directory, begin));
  let expected = false;
  const ended = keeper.ended.then(async (end) => {
    await sweep(end, pid, place);
    return { expected, lastWords: end.lastWords };
  });
  const stop = async (): Promise<void> => {
    expected = true;
    keeper.release();
    await ended;
  };
  try {
    if (directory !== undefined) await writeFile(join(directory.path, "owner"), String(process.pid));
    const port = options.tcpPort ?? PORT;
    const password = options.tcpPort === undefined ? undefined : randomBytes(24).toString("hex");
    const urls = await prepareRoles({ socketDir: place, port, password });
    keeper.letGo();
    return { ...urls, dataDir: directory?.path ?? data, socketDir: place, pid, ended, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}
