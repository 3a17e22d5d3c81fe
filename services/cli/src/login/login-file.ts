import { readFileSync, statSync } from "node:fs";
import { mkdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { exitCodes, Stop } from "../stop.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Somebody who has logged in to one tenant of one service. */
export interface Login {
  /** host:port or a URL of the admin services: the tokens are sent there, and to `address`. */
  readonly adminAddress: string;
  /** Of the gRPC lane. */
  readonly address: string;
  readonly tenant: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly subject: string;
  /** What proves who this is: an ID token of OpenID Connect. */
  readonly idToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
  readonly refreshToken?: string | undefined;
}

/** Everybody who has logged in here, by the name of the profile. */
export interface Logins {
  readonly version: 1;
  readonly logins: Readonly<Record<string, Login>>;
}

export const DEFAULT_PROFILE = "default";

const NOBODY: Logins = { version: 1, logins: {} };
const LOCK_TRIES = 200;
const LOCK_EVERY_MS = 100;
// Longer than asking an issuer for new tokens may take.
const LOCK_STALE_MS = 60_000;

/** The directory of what a person's command line keeps: REMIT_CONFIG_DIR, else where the system keeps such things. */
function configDirectory(env: Env): string {
  if (env.REMIT_CONFIG_DIR) return env.REMIT_CONFIG_DIR;
  if (env.XDG_CONFIG_HOME) return join(env.XDG_CONFIG_HOME, "remit");
  if (process.platform === "win32" && env.APPDATA) return join(env.APPDATA, "remit");
  return join(env.HOME || homedir(), ".config", "remit");
}

const fileIn = (env: Env) => join(configDirectory(env), "logins.json");

function refuseShared(path: string): void {
  if (process.platform === "win32") return;
  const { mode } = statSync(path);
  if ((mode & 0o077) === 0) return;
  throw new Stop(exitCodes.usage, `${path} holds tokens, and others on this machine may read it`, `chmod 600 ${path}`);
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";

/** Who has logged in. Throws for a file that others may read, and for one that is none of ours. */
export function readLogins(env: Env): Logins {
  const path = fileIn(env);
  let text: string;
  try {
    refuseShared(path);
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return NOBODY;
    throw error;
  }
  try {
    const parsed = JSON.parse(text) as Logins;
    if (parsed.version === 1 && typeof parsed.logins === "object") return parsed;
  } catch {
    // Falls through: half a file and another program's are told alike.
  }
  throw new Stop(exitCodes.usage, `${path} is no list of logins that this version reads`, `remove it and log in again`);
}

async function underLock<Result>(directory: string, work: () => Promise<Result>): Promise<Result> {
  const lock = join(directory, "logins.lock");
  for (let tried = 0; ; tried++) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (tried >= LOCK_TRIES) {
        throw new Stop(exitCodes.unavailable, `another remit has kept ${lock} for too long`, `remove it`);
      }
      const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Date.now() }));
      // Whoever made it has died.
      if (Date.now() - mtimeMs > LOCK_STALE_MS) await rmdir(lock).catch(() => undefined);
      else await setTimeout(LOCK_EVERY_MS);
    }
  }
  try {
    return await work();
  } finally {
    await rmdir(lock).catch(() => undefined);
  }
}

/**
 * Changes who has logged in, one process at a time: of two that renew a login at once, the second finds it renewed.
 * `change` is given what is there and answers what shall be; undefined leaves it. The file is its owner's alone.
 */
export async function changeLogins(env: Env, change: (before: Logins) => Promise<Logins | undefined>): Promise<void> {
  const directory = configDirectory(env);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await underLock(directory, async () => {
    const after = await change(readLogins(env));
    if (after === undefined) return;
    const path = fileIn(env);
    const fresh = `${path}.${process.pid}`;
    await rm(fresh, { force: true });
    await writeFile(fresh, `${JSON.stringify(after, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    await rename(fresh, path);
  });
}

/** The logins with one more, or with another in its place. */
export function withLogin({ logins }: Logins, profile: string, login: Login): Logins {
  return { version: 1, logins: { ...logins, [profile]: login } };
}

/** The logins without some. */
export function without({ logins }: Logins, profiles: readonly string[]): Logins {
  return {
    version: 1,
    logins: Object.fromEntries(Object.entries(logins).filter(([name]) => !profiles.includes(name))),
  };
}
