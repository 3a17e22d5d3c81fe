import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

/** Started processes, all of which end with us, however we end short of SIGKILL. */
export interface Processes {
  /** Whether processes can be pinned to cores here. */
  readonly pins: boolean;
  spawn(options: SpawnOptions): ChildProcess;
  /** Ends one process: SIGTERM, then SIGKILL when `graceMs` have passed. */
  stop(child: ChildProcess, graceMs?: number): Promise<void>;
  stopAll(): Promise<void>;
}

interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** A list as taskset takes it: 0 or 0,1. Undefined: wherever the scheduler puts it. */
  readonly core: string | undefined;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly stdin: "pipe" | "ignore";
}

/** util-linux's program that starts another on given cores. */
const pinner = "taskset";
const keptLines = 20;
const stderrTails = new WeakMap<ChildProcess, string[]>();

/** The last lines that a process wrote to standard error. */
export function lastWords(child: ChildProcess): string {
  return (stderrTails.get(child) ?? []).join("\n");
}

export function startProcesses(): Processes {
  const pins = spawnSync(pinner, ["-c", "0", "true"]).status === 0;
  const alive = new Set<ChildProcess>();
  const stop = async (child: ChildProcess, graceMs = 10_000) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const gone = new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
    });
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await gone;
    clearTimeout(timer);
  };
  process.once("exit", () => {
    for (const child of alive) child.kill("SIGKILL");
  });
  return {
    pins,
    stop,
    spawn({ command, args, core, env, cwd, stdin }) {
      const [file, all] = pins && core !== undefined ? [pinner, ["-c", core, command, ...args]] : [command, [...args]];
      const child = spawn(file, all, {
        env: { ...process.env, ...env },
        cwd,
        stdio: [stdin, "pipe", "pipe"],
      });
      alive.add(child);
      const tail: string[] = [];
      stderrTails.set(child, tail);
      if (child.stderr !== null)
        createInterface({ input: child.stderr }).on("line", (line) => {
          tail.push(line);
          if (tail.length > keptLines) tail.shift();
        });
      child.once("exit", () => alive.delete(child));
      child.once("error", () => alive.delete(child));
      return child;
    },
    async stopAll() {
      await Promise.all([...alive].map((child) => stop(child)));
    },
  };
}

/** The first line of standard output that `parse` makes something of. Rejects when the process ends or `limitMs` pass. */
export function firstLine<T>(child: ChildProcess, limitMs: number, parse: (line: string) => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error("the process has no standard output"));
    const give = (reason: string) => {
      clearTimeout(timer);
      reject(new Error(`${reason}\n${lastWords(child)}`));
    };
    const timer = setTimeout(() => give(`${child.spawnfile}: not ready after ${limitMs} ms`), limitMs);
    child.once("error", (error) => give(error.message));
    child.once("exit", (code, signal) => give(`${child.spawnargs.join(" ")} ended early (${code ?? signal})`));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const value = parse(line);
      if (value === undefined) return;
      clearTimeout(timer);
      resolve(value);
    });
  });
}
