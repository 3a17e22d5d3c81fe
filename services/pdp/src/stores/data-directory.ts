import { execFile } from "node:child_process";
import { chown, mkdir, open, readdir, readFile, rename, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { Fault } from "../foundation/fault.ts";
import type { RunAs } from "./keeper.ts";

const run = promisify(execFile);

/** A data directory of `remit serve`: Postgres's things stand in `postgres/`, owned by whom Postgres runs as. */
export interface DataDirectory {
  /** As it was asked for, absolute. */
  readonly path: string;
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

async function makeArea(path: string, area: string, runAs: RunAs | undefined): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await mkdir(area, { mode: 0o700 });
    if (runAs !== undefined) await chown(area, runAs.uid, runAs.gid);
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
  if (runAs === undefined) return;
  try {
    await run("/bin/sh", ["-c", 'cd "$1" && test -w .', "sh", area], { ...runAs, cwd: "/" });
  } catch (cause) {
    throw unusable(
      `Postgres does not run as root, and as uid ${runAs.uid} it may not enter ${await closedAncestor(area)}, above the data directory ${path}`,
      "name a directory that everybody may enter in REMIT_DATA_DIR, such as /var/lib/remit, or start as another user",
      cause,
    );
  }
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

/** Makes the directory where it is missing and finds out what is in it. Throws what is wrong and what to do. */
export async function openDataDirectory(path: string, major: number, runAs: RunAs | undefined): Promise<DataDirectory> {
  const absolute = resolve(path);
  const area = join(absolute, "postgres");
  const data = join(area, "data");
  await makeArea(absolute, area, runAs);
  await requireAccess(absolute, area, runAs);
  const initialised = await inspect(absolute, data, major);
  return { path: absolute, area, data, initialised };
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
