import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { firstLine, type Processes } from "../run/processes.ts";

const program = fileURLToPath(new URL("../../../services/cli/bin/remit.js", import.meta.url));

export interface ServeOptions {
  /** The service leaves its CPU profile there when it ends. */
  readonly profileFolder?: string | undefined;
  /** A module that is loaded before the service. */
  readonly preload?: string;
  readonly env?: Record<string, string>;
}

/** A running `remit serve`. */
export interface Served {
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly adminPort: number;
  readonly metricsPort: number;
  readonly ownerKey: string;
}

const startLimitMs = 60_000;

/**
 * Starts the real service with an embedded Postgres of its own, both on the same core, every port free and on loopback.
 * Durability is as it ships: nothing of Postgres is switched off.
 */
export async function serveRemit(
  processes: Processes,
  core: string | undefined,
  folder: string,
  { profileFolder, preload, env = {} }: ServeOptions = {},
): Promise<Served> {
  await mkdir(folder, { recursive: true });
  const anywhere = "127.0.0.1:0";
  const child = processes.spawn({
    command: process.execPath,
    args: [
      ...(profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`]),
      ...(preload === undefined ? [] : ["--import", preload]),
      program,
      "serve",
      "--json",
      ...["--mode", "development", "--log-level", "warn", "--data-dir", `${folder}/data`],
      ...["--http-address", anywhere, "--grpc-address", anywhere],
      ...["--admin-address", anywhere, "--metrics-address", anywhere],
    ],
    core,
    env,
    // A remit.yaml of the working directory is no part of a measurement.
    cwd: folder,
    stdin: "ignore",
  });
  return firstLine(child, startLimitMs, (line) => {
    if (!line.startsWith("{")) return undefined;
    const { grpcAddress, httpAddress, adminAddress, metricsAddress, bootstrapKey } = JSON.parse(line);
    const port = (address: string) => Number(address.slice(address.lastIndexOf(":") + 1));
    return {
      grpcPort: port(grpcAddress),
      httpPort: port(httpAddress),
      adminPort: port(adminAddress),
      metricsPort: port(metricsAddress),
      ownerKey: bootstrapKey,
    };
  });
}
