import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { EmbeddedOptions } from "../../src/stores/embedded.ts";

const run = promisify(execFile);

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Linux tells by files; a machine with only Node on it has no `ps`. */
async function fromProc(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid): Promise<Process | undefined> => {
      const [stat, commandLine] = await Promise.all([
        readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""),
        readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
      ]);
      // The name stands in brackets and may hold spaces and brackets itself; state and parent follow the last one.
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (parent === undefined || state === "Z" || state === "X") return undefined;
      return { pid: Number(pid), parent: Number(parent), command: commandLine.replaceAll("\0", " ").trim() };
    }),
  );
  return found.filter((one) => one !== undefined);
}

async function fromPs(): Promise<Process[]> {
  const { stdout } = await run("ps", ["-axww", "-o", "pid=,ppid=,stat=,command="], { maxBuffer: 16 * 1024 * 1024 });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || parent === undefined || command === undefined || state?.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

/** Every process that is not dead already. */
export function processes(): Promise<Process[]> {
  return process.platform === "linux" ? fromProc() : fromPs();
}

/** Waits for something to become true, looking again and again until the test's own time is up. */
export async function eventually(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(20);
}

export interface Child {
  readonly pid: number;
  /** Its next line. */
  line(): Promise<string>;
  /** Its next line, as JSON. */
  told<Told>(): Promise<Told>;
  write(text: string): void;
  /** To the process alone, or as a terminal does to its whole group. */
  kill(signal: NodeJS.Signals, whom?: "process" | "group"): void;
  readonly exited: Promise<unknown>;
}

/** Starts embedded-child.ts in a process group of its own, as another user when one is named. */
export function embeddedChild(options: EmbeddedOptions, as?: { uid: number; gid: number }): Child {
  const script = fileURLToPath(new URL("./embedded-child.ts", import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    ...(as ?? {}),
    cwd: "/",
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const pid = child.pid ?? 0;
  const line = async (): Promise<string> => {
    const next = await lines.next();
    if (next.done) throw new Error("the child ended without a word");
    return next.value;
  };
  return {
    pid,
    line,
    told: async <Told>() => JSON.parse(await line()) as Told,
    write: (text) => void child.stdin.write(text),
    kill: (signal, whom = "process") => void process.kill(whom === "group" ? -pid : pid, signal),
    exited: once(child, "exit"),
  };
}
