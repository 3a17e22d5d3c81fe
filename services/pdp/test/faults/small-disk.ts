import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Restartable } from "./restartable.ts";

/** A Postgres whose data stands on a file system of its own that can be filled up. */
export interface SmallDisk extends Restartable {
  /** Leaves not a byte. */
  fill(): Promise<void>;
  /** Gives the space back, and resolves when Postgres answers again: by itself, or started anew if it had ended. */
  free(): Promise<void>;
}

const CHILD = fileURLToPath(new URL("./small-disk-child.ts", import.meta.url));
const MOUNT = 'mount -t tmpfs -o "size=$1m,mode=1777" remit-faults "$2" || exit 77; shift 2;';

/**
 * How to get a file system of our own: in a namespace of mounts, which is gone with the processes in it. An ordinary user
 * gets one in a namespace of users, and is themself again in another one inside that.
 */
function inNamespace(mib: number, directory: string, command: readonly string[]): readonly string[] {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const given = [String(mib), directory, ...command];
  if (uid === 0) return ["unshare", "--mount", "sh", "-c", `${MOUNT} exec "$@"`, "sh", ...given];
  const again = `exec unshare --user --map-user=${uid} --map-group=${gid} "$@"`;
  return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", `${MOUNT} ${again}`, "sh", ...given];
}

/** Starts one of so many MiB. Where this machine lets us have none, answers why. */
export async function startSmallDisk(mib: number): Promise<SmallDisk | { readonly impossible: string }> {
  const directory = await mkdtemp(join(tmpdir(), "remit-small-"));
  const [program = "", ...args] = inNamespace(mib, directory, [process.execPath, CHILD, directory]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => void said.push(line));
  const failed = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("exit", (code) => resolve(`it ended with ${code}: ${said.slice(-5).join(" ")}`));
  });
  const gone = Promise.race([once(child, "exit"), once(child, "error")]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const told = async () => {
    const { done, value } = await lines.next();
    return done ? undefined : (JSON.parse(value) as { runtimeUrl: string; superuserUrl: string; startedAnew: number });
  };
  const first = await told();
  if (!first) {
    await rm(directory, { recursive: true, force: true });
    return { impossible: `no file system of ${mib} MiB can be mounted here: ${await failed}` };
  }
  let { startedAnew } = first;
  const command = async (name: string) => {
    child.stdin.write(`${name}\n`);
    const done = await told();
    if (!done) throw new Error(`the Postgres on a small disk could not ${name}: ${await failed}`);
    ({ startedAnew } = done);
  };
  return {
    ...{ runtimeUrl: first.runtimeUrl, superuserUrl: first.superuserUrl, startedAnew: () => startedAnew },
    kill: () => command("kill"),
    restart: () => command("restart"),
    fill: () => command("fill"),
    free: () => command("free"),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await gone;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
