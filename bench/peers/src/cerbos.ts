import { accessSync, constants, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { freePort } from "../../src/run/free-port.ts";
import { lastWords, type Processes } from "../../src/run/processes.ts";
import { allowedActions, checkResources, checkResourcesPath } from "./cerbos-messages.ts";
import { cerbosPolicies } from "./cerbos-policies.ts";
import type { Peer } from "./peer.ts";
import { suffixOf } from "./w1.ts";

export type AuditBackend = "local" | "file";

interface Program {
  readonly path: string;
  readonly version: string;
}

/** The program that the npm package brings. Throws, saying so, where there is no build for this machine. */
function findProgram(): Program {
  try {
    const manifest = createRequire(import.meta.url).resolve("@cerbos/cerbos-linux-x64/package.json");
    const { version } = JSON.parse(readFileSync(manifest, "utf8"));
    const path = join(dirname(manifest), "cerbos-linux-x64");
    accessSync(path, constants.X_OK);
    return { path, version };
  } catch (cause) {
    throw new Error("Cerbos is not here: its npm package @cerbos/cerbos-linux-x64 has a build for Linux on x64 only", {
      cause,
    });
  }
}

const startLimitMs = 180_000;
const pollMs = 100;

/** Writes N copies of W1 into the folder and serves them on loopback, with telemetry off and every decision logged. */
export async function cerbosPeer(
  processes: Processes,
  core: string | undefined,
  folder: string,
  copies: number,
  audit: AuditBackend,
): Promise<Peer> {
  const program = findProgram();
  const policies = join(folder, "policies");
  await mkdir(policies, { recursive: true });
  for (let n = 0; n < copies; n += 1)
    for (const { file, document } of cerbosPolicies(suffixOf(n)))
      await writeFile(join(policies, file), JSON.stringify(document));
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  const config = join(folder, "cerbos.json");
  await writeFile(config, JSON.stringify(configuration(folder, policies, grpcPort, httpPort, audit)));
  const env = { CERBOS_NO_TELEMETRY: "1" };
  const args = ["server", `--config=${config}`, "--log-level=error"];
  const child = processes.spawn({ command: program.path, args, core, env, stdin: "ignore" });
  child.stdout?.resume();
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  const giveUpAt = performance.now() + startLimitMs;
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`Cerbos ended early\n${lastWords(child)}`);
      if (await connected(client)) break;
      if (performance.now() > giveUpAt) throw new Error(`Cerbos is not ready after ${startLimitMs / 1000} s`);
    }
  } finally {
    client.close();
  }
  return {
    name: "Cerbos",
    version: program.version,
    port: grpcPort,
    path: () => checkResourcesPath,
    headers: () => [],
    encode: checkResources,
    allowed: (answer, { actions }) => allowedActions(answer, actions),
    inspect: () => "nothing",
  };
}

function configuration(folder: string, policies: string, grpcPort: number, httpPort: number, audit: AuditBackend) {
  const sinks = { local: { storagePath: join(folder, "audit") }, file: { path: join(folder, "audit.log") } };
  return {
    server: { httpListenAddr: `127.0.0.1:${httpPort}`, grpcListenAddr: `127.0.0.1:${grpcPort}` },
    storage: { driver: "disk", disk: { directory: policies, watchForChanges: false } },
    schema: { enforcement: "none" },
    telemetry: { disabled: true },
    audit: {
      enabled: true,
      accessLogsEnabled: true,
      decisionLogsEnabled: true,
      backend: audit,
      [audit]: sinks[audit],
    },
  };
}

function connected(client: Client): Promise<boolean> {
  return new Promise((resolve) => {
    client.waitForReady(Date.now() + pollMs, (error) => resolve(error === undefined || error === null));
  });
}
