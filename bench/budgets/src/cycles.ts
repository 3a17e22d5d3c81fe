import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { idPlaceholder } from "../../src/http2/prepared.ts";
import { type SteppedCall, takenPlaceholder } from "../../src/load/steps.ts";
import { freePort } from "../../src/run/free-port.ts";
import { lastWords } from "../../src/run/processes.ts";
import type { Bench } from "../../src/run/session.ts";
import type { Booked, PairedCalls } from "./booked.ts";
import type { CyclesProgram } from "./cycles-program.ts";

const run = promisify(execFile);
const startLimitMs = 120_000;
const pollMs = 200;

/** A reservation is of 1,000 of these; a level has a million millions. */
const unit = "TOKENS";
const amount = 1_000;
const allocated = 1_000_000_000_000;
/** The longest that it lets a reservation live: none runs out while it is measured. */
const ttlMs = 86_400_000;

// A level's budget stands under the path of all levels above it.
const subject = { tenant: "bench", workspace: "finance", app: "payments", agent: "clerk" };
const levels = Object.entries(subject).map((_, depth, all) =>
  all
    .slice(0, depth + 1)
    .map(([level, name]) => `${level}:${name}`)
    .join("/"),
);
const budgetKey = (level: string) => `budget:${level}:${unit}`;

/** Opens nothing but the throw-away server of one measurement. The hash is bcrypt's, of cost 10. */
const apiKey = {
  secret: "cyc_bench_a-key-for-measurements",
  lookup: "cyc_bench_a-ke",
  hash: "$2a$10$CyclesBenchSaltCycles.7t8xmS15r0LkRFdrIRrBiqYVoEoypj2",
};

/** When Redis has its log on the disk: a second later at most, or before it answers. */
export type Durability = "everysec" | "always";

export interface Cycles {
  readonly port: number;
  readonly calls: PairedCalls;
  /** For the runs that follow. */
  durability(mode: Durability): Promise<void>;
  /** What the four levels say is reserved and spent, in reservations. */
  booked(): Promise<Booked[]>;
}

function reserving(): PairedCalls {
  const headers = { "x-cycles-api-key": apiKey.secret };
  const quantity = { unit, amount };
  const reserve = {
    path: "/v1/reservations",
    body: JSON.stringify({
      idempotency_key: idPlaceholder,
      subject,
      action: { kind: "payments", name: "payments.transfer" },
      estimate: quantity,
      ttl_ms: ttlMs,
      overage_policy: "REJECT",
    }),
    expect: { decision: "ALLOW", reserved: quantity, affected_scopes: levels },
    take: "reservation_id",
  };
  const commit = {
    path: `/v1/reservations/${takenPlaceholder}/commit`,
    body: JSON.stringify({ idempotency_key: `c${idPlaceholder}`, actual: quantity }),
    expect: { status: "COMMITTED", charged: quantity },
  };
  const call = (...steps: SteppedCall["steps"]): SteppedCall[] => [{ headers, steps }];
  return { held: call(reserve), settled: call(reserve, commit) };
}

/**
 * Starts Redis as Cycles's own compose file does, and Cycles on it, on the server's core and on loopback; seeds a key and
 * four levels that all callers share.
 */
export async function startCycles(
  { processes, cores }: Bench,
  program: CyclesProgram,
  folder: string,
): Promise<Cycles> {
  await mkdir(folder, { recursive: true });
  const [redisPort, port] = [await freePort(), await freePort()];
  const spawned = (command: string, args: readonly string[], env: Record<string, string>) => {
    const child = processes.spawn({ command, args, core: cores.server, cwd: folder, env, stdin: "ignore" });
    child.stdout?.resume();
    return child;
  };
  const until = async (what: string, child: ReturnType<typeof spawned>, ready: () => Promise<boolean>) => {
    const giveUpAt = performance.now() + startLimitMs;
    while (!(await ready().catch(() => false))) {
      if (child.exitCode !== null) throw new Error(`${what} ended early\n${lastWords(child)}`);
      if (performance.now() > giveUpAt) throw new Error(`${what} is not ready after ${startLimitMs / 1000} s`);
      await setTimeout(pollMs);
    }
  };
  const redis = async (...words: readonly string[]) =>
    (await run(program.redisCli, ["-h", "127.0.0.1", "-p", String(redisPort), ...words])).stdout.trim().split("\n");

  const place = ["--bind", "127.0.0.1", "--port", String(redisPort), "--dir", folder];
  const store = spawned(program.redisServer, [...place, "--appendonly", "yes"], {});
  await until("Redis", store, async () => (await redis("ping"))[0] === "PONG");
  await seed(redis);

  const env = {
    ...{ REDIS_HOST: "127.0.0.1", REDIS_PORT: String(redisPort), REDIS_PASSWORD: "" },
    ...{ SERVER_PORT: String(port), SERVER_ADDRESS: "127.0.0.1", LOGGING_LEVEL_ROOT: "WARN" },
  };
  const server = spawned(program.java, ["-jar", program.jar], env);
  await until("Cycles", server, async () => (await fetch(`http://127.0.0.1:${port}/actuator/health/readiness`)).ok);
  return {
    port,
    calls: reserving(),
    durability: async (mode) => {
      const [said] = await redis("config", "set", "appendfsync", mode);
      if (said !== "OK") throw new Error(`Redis does not take appendfsync ${mode}: ${said}`);
    },
    booked: () =>
      Promise.all(
        levels.map(async (level) => {
          const [held, spent, free] = (await redis("hmget", budgetKey(level), "reserved", "spent", "remaining")).map(
            Number,
          );
          const taken = (held ?? Number.NaN) + (spent ?? Number.NaN);
          return { level, calls: taken / amount, overspent: (free ?? Number.NaN) < 0 || taken > allocated };
        }),
      ),
  };
}

async function seed(redis: (...words: readonly string[]) => Promise<string[]>): Promise<void> {
  const id = "bench";
  const key = {
    key_id: id,
    tenant_id: subject.tenant,
    key_prefix: apiKey.lookup,
    key_hash: apiKey.hash,
    name: "bench",
    permissions: [],
    status: "ACTIVE",
    created_at: new Date().toISOString(),
  };
  await redis("set", `apikey:lookup:${apiKey.lookup}`, id);
  await redis("set", `apikey:${id}`, JSON.stringify(key));
  const fresh = { reserved: 0, spent: 0, debt: 0, overdraft_limit: 0, is_over_limit: false };
  for (const level of levels) {
    const budget = { scope: level, unit, allocated, remaining: allocated, ...fresh };
    await redis("hset", budgetKey(level), ...Object.entries(budget).flat().map(String));
  }
}
