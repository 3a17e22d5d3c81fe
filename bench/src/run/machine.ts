import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, freemem, loadavg, release, totalmem } from "node:os";

/** What a figure depends on besides the code: written beside every result. */
export interface Machine {
  readonly at: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly freeMiB: number;
  readonly loadAverage: readonly number[];
  readonly system: string;
  readonly node: string;
  readonly commit: string;
  /** Of the packages that the measured servers and clients are made of: all are pinned. */
  readonly packages: Readonly<Record<string, string>>;
}

const mib = 1024 * 1024;

export function describeMachine(now: Date): Machine {
  return {
    at: now.toISOString(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / mib),
    freeMiB: Math.round(freemem() / mib),
    loadAverage: loadavg(),
    system: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    commit: commit(),
    packages: packages(),
  };
}

/** The line that stands above every table: where it ran. */
export function machineLine({ cpu, cores, node, commit }: Machine, placed: Cores): string {
  return `${cpu}, ${cores} cores, ${node}, commit ${commit}; ${placed.note}`;
}

function packages(): Record<string, string> {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { dependencies, optionalDependencies } = JSON.parse(manifest);
  return { ...dependencies, ...optionalDependencies };
}

/** The commit and whether the tree differs from it; "unknown" outside a checkout. */
function commit(): string {
  try {
    const run = (...args: string[]) =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const changed = run("status", "--porcelain", "--untracked-files=no").trim() !== "";
    return `${run("rev-parse", "--short=12", "HEAD").trim()}${changed ? " with uncommitted changes" : ""}`;
  } catch {
    return "unknown";
  }
}

export interface Cores {
  readonly server: string | undefined;
  readonly client: string | undefined;
  /** For the reader: how the processes were placed. */
  readonly note: string;
}

/** Server on the first core (or the cores asked for) and client on the last, where that can be had. */
export function assignCores(pins: boolean, cores: number, serverCores: string | undefined): Cores {
  if (!pins || cores < 2) {
    const why = pins ? "one core" : "no taskset";
    return { server: undefined, client: undefined, note: `NOT PINNED (${why}): server and client share cores` };
  }
  const server = serverCores ?? "0";
  const client = String(cores - 1);
  const shared = server.split(",").includes(client) ? ", WHICH THEY SHARE" : "";
  return { server, client, note: `server (and its Postgres) on core ${server}, client on core ${client}${shared}` };
}
