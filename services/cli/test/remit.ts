import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const launcher = fileURLToPath(new URL("../bin/remit.js", import.meta.url));

export const fixtures = fileURLToPath(new URL("./fixtures/", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `remit` that runs. */
export interface Running {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves with what was written once it contains the text; rejects if the process ends before. */
  says(text: string): Promise<string>;
  ended: Promise<Ended>;
}

// Nothing of the machine's own environment reaches the service: a variable of ours there would change the test.
function environment(given: Record<string, string>): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("REMIT_"));
  return { ...(Object.fromEntries(own) as Record<string, string>), NO_COLOR: "", ...given };
}

export interface StartOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** What to run instead of the checkout's own `remit`: a program and its first arguments. */
  readonly command?: readonly [string, ...string[]];
  /** As whom to run, where we may choose. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** Starts the real command. */
export function start(args: readonly string[], options: StartOptions = {}): Running {
  const [program, ...first] = options.command ?? [process.execPath, launcher];
  const child = spawn(program, [...first, ...args], {
    ...options.user,
    env: environment(options.env ?? {}),
    cwd: options.cwd ?? tmpdir(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A test that fails half-way leaves no service behind.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("close", () => process.off("exit", kill));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const says = async (text: string): Promise<string> => {
    while (!stdout.includes(text)) {
      const over = await Promise.race([once(child.stdout, "data").then(() => undefined), ended]);
      if (over !== undefined && !stdout.includes(text)) {
        throw new Error(
          `remit ended with ${over.code} without saying ${JSON.stringify(text)}: ${over.stdout}${over.stderr}`,
        );
      }
    }
    return stdout;
  };
  return { child, stdout: () => stdout, stderr: () => stderr, says, ended };
}

/** Runs the real command to its end. */
export async function remit(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return await start(args, options).ended;
}

/** A directory that is gone at the end of the scope. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "remit-cli-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const anyPort = "127.0.0.1:0";

/** The arguments of a service of one's own. */
export function serveArguments(dataDir: string, ...more: string[]): string[] {
  const addresses = ["--http-address", "--grpc-address", "--admin-address", "--metrics-address"];
  return [
    "serve",
    "--data-dir",
    dataDir,
    "--log-level",
    "warn",
    ...addresses.flatMap((name) => [name, anyPort]),
    ...more,
  ];
}

/** What `serve --json` says. */
export interface Announced {
  readonly httpAddress: string;
  readonly grpcAddress: string;
  readonly adminAddress: string;
  readonly metricsAddress: string;
  readonly bootstrapKey?: string;
}

/** Starts a service and waits until it is ready. */
export async function serve(dataDir: string, ...more: string[]): Promise<Running & { readonly at: Announced }> {
  const running = start(serveArguments(dataDir, "--json", ...more));
  const said = await running.says("\n");
  return { ...running, at: JSON.parse(said.split("\n")[0] ?? "") as Announced };
}
