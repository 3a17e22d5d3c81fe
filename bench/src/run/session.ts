import { mkdirSync, rmSync } from "node:fs";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { assignCores, type Cores } from "./machine.ts";
import { type Processes, startProcesses } from "./processes.ts";

const resultsFolder = fileURLToPath(new URL("../../results/", import.meta.url));

/** What one measuring program has: processes that end with it, and a folder that goes with it. */
export interface Bench {
  readonly processes: Processes;
  readonly cores: Cores;
  /** Removed at the end. */
  readonly folder: string;
  say(line: string): void;
}

/**
 * Runs `work` and ends everything it started, whether it succeeds, throws or is interrupted. Sets the exit code. The
 * second Ctrl-C within a second, which npm passes on, is the same Ctrl-C.
 */
export async function withBench(serverCores: string | undefined, work: (bench: Bench) => Promise<void>): Promise<void> {
  const processes = startProcesses();
  const folder = await mkdtemp(join(tmpdir(), "remit-bench-"));
  // Postgres leaves root behind, and must still reach its data below this folder.
  await chmod(folder, 0o755);
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  let interrupted = false;
  const interrupt = (signal: NodeJS.Signals) => {
    if (interrupted) return;
    interrupted = true;
    process.stderr.write(`\n${signal}: stopping what was started\n`);
    void processes.stopAll().finally(() => process.exit(130));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  // Whoever read what we print has gone away.
  process.stderr.on("error", () => {});
  process.stdout.on("error", () => interrupt("SIGPIPE"));
  const cores = assignCores(processes.pins, availableParallelism(), serverCores);
  try {
    await work({ processes, cores, folder, say: (line) => process.stdout.write(`${line}\n`) });
  } catch (error) {
    if (!interrupted) process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    await processes.stopAll();
  }
  if (!interrupted) process.exit();
}

/** Writes a result as JSON; returns the file's path. */
export async function writeResult(name: string, at: string, out: string | undefined, result: unknown): Promise<string> {
  const file = out ?? join(resultsFolder, `${name}-${at.replaceAll(":", "-").slice(0, 19)}.json`);
  mkdirSync(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
  return file;
}
