import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { EmbeddedPostgres } from "../../../services/pdp/src/stores/embedded.ts";
import type { Served } from "../../src/remit/serve.ts";
import { firstLine } from "../../src/run/processes.ts";
import type { Bench } from "../../src/run/session.ts";

/** The bundle, as it is deployed: sources that are read as they are cost a process 56 MiB more. */
const program = fileURLToPath(new URL("../../../services/cli/dist/main.js", import.meta.url));
const startLimitMs = 300_000;

/** A service on a Postgres that outlives it. */
export interface Started extends Served {
  readonly pid: number;
  readonly metricsPort: number;
  /** From its start to the line that says it listens. */
  readonly listeningMs: number;
  stop(): Promise<void>;
}

/** What stays the same from one start of the service to the next. */
export interface House {
  readonly postgres: EmbeddedPostgres;
  /** Base64: wraps the keys in the store. */
  readonly keyEncryptionKey: string;
  readonly bench: Bench;
}

export function houseOn(postgres: EmbeddedPostgres, bench: Bench): House {
  return { postgres, keyEncryptionKey: randomBytes(32).toString("base64"), bench };
}

/** Starts `remit serve` on the house's database. `ownerKey`: the one that its first start answered, afterwards. */
export async function start({ postgres, keyEncryptionKey, bench }: House, ownerKey?: string): Promise<Started> {
  const { processes, cores, folder } = bench;
  const anywhere = "127.0.0.1:0";
  const beganMs = performance.now();
  const child = processes.spawn({
    command: process.execPath,
    args: [program, "serve", "--json", "--mode", "development", "--log-level", "warn", ...["--data-dir", folder]],
    core: cores.server,
    env: {
      REMIT_DATABASE_URL: postgres.runtimeUrl,
      REMIT_KEY_ENCRYPTION_KEY: keyEncryptionKey,
      REMIT_HTTP_ADDRESS: anywhere,
      REMIT_GRPC_ADDRESS: anywhere,
      REMIT_ADMIN_ADDRESS: anywhere,
      REMIT_METRICS_ADDRESS: anywhere,
    },
    cwd: folder,
    stdin: "ignore",
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the service did not start");
  const told = await firstLine(child, startLimitMs, (line) => (line.startsWith("{") ? JSON.parse(line) : undefined));
  const port = (address: string) => Number(address.slice(address.lastIndexOf(":") + 1));
  return {
    pid,
    listeningMs: performance.now() - beganMs,
    grpcPort: port(told.grpcAddress),
    httpPort: port(told.httpAddress),
    adminPort: port(told.adminAddress),
    metricsPort: port(told.metricsAddress),
    ownerKey: told.bootstrapKey ?? ownerKey ?? "",
    stop: () => processes.stop(child),
  };
}
