import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, lstat, mkdir, open, readdir, readFile, realpath, rename, rmdir, stat, symlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { Fault } from "../foundation/fault.ts";
import type { RunAs } from "./keeper.ts";

const run = promisify(execFile);

/** Where a root user's data goes when Postgres may not enter the directory that was asked for. */
const ELSEWHERE = "/var/lib/remit";

/** A data directory of `remit serve`: Postgres's things stand in `postgres/`, owned by whom Postgres runs as. */
export interface DataDirectory {
  /** As it was asked for, absolute. */
  readonly path: string;
  /** Owned by whom Postgres runs as. */
  readonly area: string;
  /** Postgres's own data directory. */
  readonly data: string;
  /** False: a cluster must be made first. */
  readonly initialised: boolean;
}

function unusable(message: string, fix: string, cause?: unknown): Fault {
  return new Fault("precondition", "data_dir_unusable", message, { fix }, cause);
}

/** The highest directory above a path that others may not enter, or the path itself. */
async function closedAncestor(path: string): Promise<string> {
  const above: string[] = [];
  for (let at = path; at !== dirname(at); at = dirname(at)) above.unshift(at);
  for (const directory of above) {
    if (((await stat(directory)).mode & 0o001) === 0) return directory;
  }
  return path;
}

async function mayUse(directory: string, right: "enter" | "write", runAs: RunAs): Promise<boolean> {
  const script = right === "write" ? 'cd "$1" && test -w .' : 'cd "$1"';
  return run("/bin/sh", ["-c", script, "sh", directory], { ...runAs, cwd: "/" }).then(
    () => true,
    () => false,
  );
}

/** A new directory that Postgres owns, where it may get to. */
async function makeElsewhere(path: string, runAs: RunAs, log: (line: string) => void): Promise<string> {
  const place = join(ELSEWHERE, `${basename(path).replace(/^\.+/, "")}-${randomBytes(6).toString("hex")}`);
  await mkdir(ELSEWHERE, { recursive: true, mode: 0o755 });
  await mkdir(place, { mode: 0o700 });
  await chown(place, runAs.uid, runAs.gid);
  log(
    `Postgres does not run as root, and as uid ${runAs.uid} it may not enter ${await closedAncestor(path)}: the data is in ${place}, and ${path} points to it`,
  );
  return place;
}

/** Puts an area in its place that has its owner already: whoever finds it finds it whole. */
async function putArea(area: string, runAs: RunAs | undefined): Promise<void> {
  const fresh = `${area}-${randomBytes(6).toString("hex")}`;
  await mkdir(fresh, { mode: 0o700 });
  try {
    if (runAs !== undefined) await chown(fresh, runAs.uid, runAs.gid);
    await rename(fresh, area);
  } catch (cause) {
    await rmdir(fresh);
    // Of several that make it at once the first that is not empty stays; one that is empty is as good as ours.
    if (!["ENOTEMPTY", "EEXIST"].includes((cause as { code?: string }).code ?? "")) throw cause;
  }
}

/** Makes the area below a path, or a link to where it is. Of several that make it at once the first one's stays. */
async function makeArea(path: string, area: string, asked: DirectoryOptions): Promise<void> {
  const { runAs, log } = asked;
  try {
    await mkdir(path, { recursive: true });
    if ((await lstat(area).catch(() => null)) !== null) return;
    if (runAs !== undefined && !(await mayUse(path, "enter", runAs))) {
      const elsewhere = await makeElsewhere(path, runAs, log);
      await symlink(elsewhere, area).catch(async (cause: unknown) => {
        await rmdir(elsewhere);
        throw cause;
      });
      return;
    }
    await putArea(area, runAs);
  } catch (cause) {
    if ((cause as { code?: string }).code === "EEXIST" && (await stat(area).catch(() => null))?.isDirectory()) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw unusable(
      `the data directory ${path} cannot be made: ${why}`,
      "name one that you may write in REMIT_DATA_DIR",
      cause,
    );
  }
}

async function requireAccess(path: string, area: string, runAs: RunAs | undefined): Promise<void> {
  const own = runAs?.uid ?? process.getuid?.();
  const owner = (await stat(area)).uid;
  if (own !== undefined && owner !== own) {
    throw unusable(
      `the data directory ${path} belongs to another user: ${area} is owned by uid ${owner}, Postgres would run as uid ${own}`,
      `start as uid ${owner}${owner === 65534 ? " or as root" : ""}, run chown -R ${own} ${area}, or name another directory in REMIT_DATA_DIR`,
    );
  }
  if (runAs === undefined || (await mayUse(area, "write", runAs))) return;
  throw unusable(
    `Postgres does not run as root, and as uid ${runAs.uid} it may not enter ${await closedAncestor(area)}, above the data directory ${path}`,
    "name a directory that everybody may enter in REMIT_DATA_DIR, such as /var/lib/remit, or start as another user",
  );
}

/** Whether there is a cluster, of the right version. Throws when something else is there. */
async function inspect(path: string, data: string, major: number): Promise<boolean> {
  const names = await readdir(data).catch((cause: unknown) => {
    if ((cause as { code?: string }).code === "ENOENT") return null;
    throw unusable(`the data directory ${path} cannot be read`, `look at ${data}`, cause);
  });
  if (names === null) return false;
  if (!names.includes("PG_VERSION")) {
    throw unusable(`${data} is not a data directory of Postgres`, "move it away, or name another REMIT_DATA_DIR");
  }
  const version = (await readFile(join(data, "PG_VERSION"), "utf8")).trim();
  if (version !== String(major)) {
    throw unusable(
      `the data directory ${path} was made by Postgres ${version}, and this build brings Postgres ${major}`,
      `dump it with Postgres ${version} and restore it into a new directory, or run the build of Remit that made it`,
    );
  }
  return true;
}

export interface DirectoryOptions {
  readonly path: string;
  /** Of the programs that will read it. */
  readonly major: number;
  /** As whom Postgres runs; undefined: as we do. */
  readonly runAs: RunAs | undefined;
  readonly log: (line: string) => void;
}

/** Makes the directory where it is missing and finds out what is in it. Throws what is wrong and what to do. */
export async function openDataDirectory(asked: DirectoryOptions): Promise<DataDirectory> {
  const path = resolve(asked.path);
  await makeArea(path, join(path, "postgres"), asked);
  const area = await realpath(join(path, "postgres")).catch((cause: unknown) => {
    throw unusable(`the data directory ${path} has lost what its postgres points to`, `remove ${path}/postgres`, cause);
  });
  await requireAccess(path, area, asked.runAs);
  const data = join(area, "data");
  return { path, area, data, initialised: await inspect(path, data, asked.major) };
}

/** Puts a cluster that is complete in its place. When another starter was first, that one's cluster stays. */
export async function adoptCluster(fresh: string, directory: DataDirectory): Promise<void> {
  try {
    await rename(fresh, directory.data);
  } catch (cause) {
    if (!["ENOTEMPTY", "EEXIST"].includes((cause as { code?: string }).code ?? "")) throw cause;
    return;
  }
  const handle = await open(directory.area, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
