import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDataDirectory } from "./data-directory.ts";
import { type Life, liveOn } from "./embedded-life.ts";
import { prepareRoles } from "./embedded-roles.ts";
import { SOCKET_PORT } from "./embedded-settings.ts";
import { type Setup, start, startOnDirectory, temporaryPlace } from "./embedded-start.ts";
import type { RunAs } from "./keeper.ts";
import { findPostgres } from "./postgres-binaries.ts";
import { createPatience } from "./stuck.ts";

export interface EmbeddedOptions {
  /** Absent: a temporary one that is gone when the process is, however it ends. */
  readonly dataDir?: string;
  /** False: nothing is synced to the disk; for what is thrown away. */
  readonly durable: boolean;
  /** Also listen on 127.0.0.1, with passwords. Absent: a Unix socket alone. */
  readonly tcpPort?: number;
  /** How long it may say that it lets nobody in before it is started anew; 120 s by default. Without `dataDir`: for ever. */
  readonly stuckAfterMs?: number;
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
  /** How often it was ended and started anew because it let nobody in. */
  readonly startedAnew: number;
  /** Resolves when Postgres ended, asked or not. `expected` is false when nobody called `stop`. */
  readonly ended: Life["ended"];
  /** Ends Postgres and removes what was temporary. Resolves when all of it is gone. */
  stop(): Promise<void>;
}

/** Postgres refuses to run as root; 65534 is nobody on Linux and owns nothing else. */
const NOBODY: RunAs = { uid: 65_534, gid: 65_534 };

/*
 * A recovery whose checkpointer died of a full disk may wait for it for ever, with room again. From outside it looks like
 * one that takes its time, so it is given twice as long after each start anew, up to half an hour or so.
 */
const STUCK_AFTER_MS = 120_000;
const STUCK_AFTER_TIMES_MAX = 16;
/** Looks in the time that it is given at first. */
const LOOKS = 8;

/**
 * Starts a Postgres of our own, with the roles `remit_owner` (owns the database `remit`), `remit_runtime` (a group) and
 * `remit_service` (a login member of it). Resolves when it answers. Whoever may enter the socket's directory — the same
 * user, and root — may connect as any role. Throws a fault that names the directory or port and the fix.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const runAs = process.getuid?.() === 0 ? NOBODY : undefined;
  const { log = () => {}, durable, dataDir, tcpPort, stuckAfterMs = STUCK_AFTER_MS } = options;
  const binaries = await findPostgres({ runAs, log });
  const { major } = binaries;
  const directory = dataDir === undefined ? undefined : await openDataDirectory({ path: dataDir, major, runAs, log });
  const place = temporaryPlace(runAs);
  const setup: Setup = {
    ...{ binaries, durable, place, log, lookEveryMs: Math.ceil(stuckAfterMs / LOOKS) },
    ...(directory && { directory }),
    ...(runAs && { runAs }),
    ...(tcpPort !== undefined && { tcpPort }),
    patience: createPatience(LOOKS, LOOKS * STUCK_AFTER_TIMES_MAX),
  };
  const first = await (directory === undefined ? start(setup) : startOnDirectory(directory, log, () => start(setup)));
  const life = liveOn(setup, first);
  try {
    if (directory !== undefined) await writeFile(join(directory.path, "owner"), String(process.pid));
    const port = tcpPort ?? SOCKET_PORT;
    const password = tcpPort === undefined ? undefined : randomBytes(24).toString("hex");
    const urls = await prepareRoles({ socketDir: place, port, password });
    first.keeper.letGo();
    return {
      ...{ ...urls, dataDir: directory?.path ?? first.data, socketDir: place, ended: life.ended, stop: life.stop },
      get pid() {
        return life.pid();
      },
      get startedAnew() {
        return life.startedAnew();
      },
    };
  } catch (cause) {
    await life.stop();
    throw cause;
  }
}
