import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { firstLine, type Processes } from "../run/processes.ts";

const program = fileURLToPath(new URL("../../../services/cli/bin/remit.js", import.meta.url));

/** A running `remit serve`. */
export interface Served {
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly adminPort: number;
  readonly ownerKey: string;
}

const startLimitMs = 60_000;

/**
 * Starts the real service with an embedded Postgres of its own, both on the same core, every port free and on loopback.
 * Durability is as it ships: nothing of Postgres is switched off. With a profile folder the service leaves its CPU profile
 * there when it ends.
 */
export async function serveRemit(
  processes: Processes,
  core: string | undefined,
  folder: string,
  profileFolder?: string,
): Promise<Served> {
  await mkdir(folder, { recursive: true });
  const anywhere = "127.0.0.1:0";
  const child = processes.spawn({
    command: process.execPath,
    args: [
      ...(profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`]),
      program,
      "serve",
      "--json",
      ...["--mode", "development", "--log-level", "warn", "--data-dir", `${folder}/data`],
      ...["--http-address", anywhere, "--grpc-address", anywhere],
      ...["--admin-address", anywhere, "--metrics-address", anywhere],
    ],
    core,
    // A remit.yaml of the working directory is no part of a measurement.
    cwd: folder,
    stdin: "ignore",
  });
  return firstLine(child, startLimitMs, (line) => {
    if (!line.startsWith("{")) return undefined;
    const { grpcAddress, httpAddress, adminAddress, bootstrapKey } = JSON.parse(line);
    const port = (address: string) => Number(address.slice(address.lastIndexOf(":") + 1));
    return {
      grpcPort: port(grpcAddress),
      httpPort: port(httpAddress),
      adminPort: port(adminAddress),
      ownerKey: bootstrapKey,
    };
  });
}
