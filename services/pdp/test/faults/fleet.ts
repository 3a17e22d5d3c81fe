import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type PgProxy, pgProxy } from "../support/pg-proxy.ts";
import { eventually } from "../support/processes.ts";

export const launcher = fileURLToPath(new URL("../../../cli/bin/remit.js", import.meta.url));

/** How a process ended, and what it said last. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastWords: string;
}

export interface Addresses {
  readonly httpAddress: string;
  readonly grpcAddress: string;
  readonly adminAddress: string;
  readonly metricsAddress: string;
}

/** A `remit serve` that runs. */
interface Serving {
  readonly pid: number;
  /** Its row among the replicas. */
  readonly replica: string;
  readonly bootstrapKey: string | undefined;
  readonly ended: Promise<Ending>;
}

/** A place where one `remit serve` runs after another: its addresses, and its own way to Postgres. */
export interface Member extends Addresses {
  readonly name: string;
  readonly proxy: PgProxy;
  /** The process that runs, or the last that ran. */
  serving(): Serving;
  /** Starts a process and resolves when it is ready. Rejects with its last words when it ends before. */
  start(): Promise<Serving>;
  signal(signal: NodeJS.Signals): void;
  ready(): Promise<boolean>;
}

export interface Fleet extends AsyncDisposable {
  readonly members: readonly Member[];
  /** The first owner's key. */
  readonly ownerKey: string;
}

/** A port that was free a moment ago. It stays a member's own, so that clients find the next process there. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const LAST_LINES = 30;

/** Told every line that a process says. */
export type Hear = (member: string, line: string) => void;

/** Starts a process. Its environment has nothing of ours but what is given. */
function startServing(environment: Readonly<Record<string, string>>, hear: (line: string) => void): Promise<Serving> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("REMIT_"));
  const child = spawn(process.execPath, [launcher, "serve", "--json"], {
    cwd: tmpdir(),
    env: { ...Object.fromEntries(own), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const said: string[] = [];
  let replica = "";
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    hear(line);
    if (said.length > LAST_LINES) said.shift();
    replica ||= /"replica":"([0-9a-f-]{36})".*registered/.exec(line)?.[1] ?? "";
  });
  const ended = once(child, "close").then(([code, signal]): Ending => {
    process.off("exit", kill);
    return { code, signal, lastWords: said.join("\n") };
  });
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => {
      const { bootstrapKey } = JSON.parse(line) as { bootstrapKey?: string };
      resolve({ pid: child.pid ?? 0, replica, bootstrapKey, ended });
    });
    void ended.then(({ code, lastWords }) => reject(new Error(`remit serve ended with ${code}: ${lastWords}`)));
  });
}

async function newMember(name: string, databaseUrl: string, keyEncryptionKey: string, hear: Hear): Promise<Member> {
  const proxy = await pgProxy(databaseUrl);
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const [httpAddress = "", grpcAddress = "", adminAddress = "", metricsAddress = ""] = ports.map(
    (port) => `127.0.0.1:${port}`,
  );
  let serving: Serving | undefined;
  const current = () => {
    if (!serving) throw new Error(`${name} was never started`);
    return serving;
  };
  const ready = () =>
    fetch(`http://${metricsAddress}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
      ({ status }) => status === 200,
      () => false,
    );
  const start = async () => {
    const environment = {
      REMIT_MODE: "development",
      REMIT_DATABASE_URL: proxy.url,
      REMIT_KEY_ENCRYPTION_KEY: keyEncryptionKey,
      REMIT_HTTP_ADDRESS: httpAddress,
      REMIT_GRPC_ADDRESS: grpcAddress,
      REMIT_ADMIN_ADDRESS: adminAddress,
      REMIT_METRICS_ADDRESS: metricsAddress,
      REMIT_SHUTDOWN_GRACE_MS: "5000",
    };
    serving = await startServing(environment, (line) => hear(name, line));
    await eventually(ready);
    return serving;
  };
  return {
    ...{ name, proxy, httpAddress, grpcAddress, adminAddress, metricsAddress, start, ready, serving: current },
    signal: (signal) => void process.kill(current().pid, signal),
  };
}

async function endMember({ proxy, serving, signal }: Member): Promise<void> {
  try {
    // Whatever it is doing: paused, or cut off.
    signal("SIGKILL");
  } catch {
    // It has ended.
  }
  await serving().ended;
  await proxy.close();
}

/** Replicas on one database that is migrated and empty. `databaseUrl` is of the runtime role. */
export async function startFleet(databaseUrl: string, size = 3, hear: Hear = () => {}): Promise<Fleet> {
  const key = Buffer.alloc(32, 7).toString("base64");
  const names = Array.from({ length: size }, (_, at) => `member-${at + 1}`);
  const members = await Promise.all(names.map((name) => newMember(name, databaseUrl, key, hear)));
  const [first, ...others] = members;
  // The first makes the owner, so that it is known who did.
  const ownerKey = (await first?.start())?.bootstrapKey ?? "";
  await Promise.all(others.map((member) => member.start()));
  return {
    members,
    ownerKey,
    [Symbol.asyncDispose]: async () => void (await Promise.all(members.map(endMember))),
  };
}
