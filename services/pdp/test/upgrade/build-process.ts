import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Addresses } from "./clients.ts";

/** A kept build that serves. */
export interface BuildProcess extends Addresses {
  readonly metricsAddress: string;
  readonly bootstrapKey?: string;
  /** Ends it as an operator does; answers its exit code. Throws what it wrote when it does not end well. */
  stop(): Promise<void>;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
}

export interface Unpacked extends AsyncDisposable {
  /** Starts `remit serve` on a migrated database, on ports that the system chooses. */
  serve(databaseUrl: string, keyEncryptionKey: string): Promise<BuildProcess>;
}

const NOWHERE = "127.0.0.1:0";

/** Nothing of the machine's own settings reaches a build. */
function environment(databaseUrl: string, keyEncryptionKey: string): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("REMIT_"));
  return {
    ...Object.fromEntries(own),
    REMIT_MODE: "development",
    REMIT_DATABASE_URL: databaseUrl,
    REMIT_KEY_ENCRYPTION_KEY: keyEncryptionKey,
    REMIT_HTTP_ADDRESS: NOWHERE,
    REMIT_GRPC_ADDRESS: NOWHERE,
    REMIT_ADMIN_ADDRESS: NOWHERE,
    REMIT_METRICS_ADDRESS: NOWHERE,
    REMIT_LOG_LEVEL: "warn",
  };
}

async function announced(child: ChildProcess, errors: () => string): Promise<BuildProcess> {
  const { stdout } = child;
  if (stdout === null) throw new Error("the build has no output");
  for await (const line of createInterface({ input: stdout })) return JSON.parse(line);
  throw new Error(`the build ended before it was ready: ${errors()}`);
}

async function serve(module: string, env: Record<string, string | undefined>): Promise<BuildProcess> {
  const child = spawn(process.execPath, [module, "serve", "--json"], {
    env,
    cwd: tmpdir(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A test that fails half-way leaves no service behind.
  const cut = () => child.kill("SIGKILL");
  process.once("exit", cut);
  const exited = once(child, "close").finally(() => process.off("exit", cut));
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const at = await announced(child, () => errors);
  return {
    ...at,
    async stop() {
      child.kill("SIGTERM");
      const [code] = await exited;
      if (code !== 0) throw new Error(`the build ended with ${code}: ${errors}`);
    },
    async kill() {
      cut();
      await exited;
    },
  };
}

/** Lays a build down in a directory of its own, which is gone at the end of the scope. */
export async function unpackBuild(build: string): Promise<Unpacked> {
  const directory = await mkdtemp(join(tmpdir(), "remit-build-"));
  const module = join(directory, "bin", "remit.mjs");
  await mkdir(join(directory, "bin"));
  await writeFile(module, build);
  await writeFile(join(directory, "package.json"), JSON.stringify({ type: "module", version: "0.0.0" }));
  return {
    serve: (databaseUrl, keyEncryptionKey) => serve(module, environment(databaseUrl, keyEncryptionKey)),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
