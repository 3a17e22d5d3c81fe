import { chmod, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type EmbeddedPostgres, startEmbedded } from "../../src/stores/embedded.ts";
import { migrate } from "../../src/stores/migrate.ts";
import { eventually } from "../support/processes.ts";

/** A Postgres that can be stopped and started again at the same addresses: migrated, and nobody else's. */
export interface Restartable extends AsyncDisposable {
  readonly runtimeUrl: string;
  readonly superuserUrl: string;
  restart(): Promise<void>;
  /** Ends the postmaster with SIGKILL, and starts another at once: what it left behind may still be there. */
  kill(): Promise<void>;
  /** How often it was started anew because it let nobody in. */
  startedAnew(): number;
}

interface Options {
  readonly durable: boolean;
  /** Absent: a temporary one. */
  readonly dataDir?: string;
}

/** Longer than a recovery takes here; one that takes longer is begun again, and given longer. */
const STUCK_AFTER_MS = 12_000;

/** Whether somebody answers there. */
async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  return client
    .connect()
    .then(() => client.query("select 1"))
    .then(
      () => true,
      () => false,
    )
    .finally(() => client.end().catch(() => {}));
}

export async function startRestartable({ durable, dataDir }: Options): Promise<
  Restartable & {
    /** Resolves when it answers; it is started where it had ended by itself. */
    revive(): Promise<void>;
  }
> {
  const directory = await mkdtemp(join(tmpdir(), "remit-faults-"));
  // Whoever Postgres runs as has its data in there.
  await chmod(directory, 0o755);
  const link = join(directory, "socket");
  let hasEnded = false;
  let before = 0;
  const start = async (): Promise<EmbeddedPostgres> => {
    const started = await startEmbedded({
      ...{ dataDir: dataDir ?? join(directory, "pg"), durable, stuckAfterMs: STUCK_AFTER_MS },
    });
    hasEnded = false;
    void started.ended.then(() => {
      hasEnded = true;
    });
    await rm(link, { force: true });
    await symlink(started.socketDir, link);
    return started;
  };
  let postgres = await start();
  const startOver = async () => {
    before += postgres.startedAnew;
    postgres = await start();
  };
  await migrate({ url: postgres.ownerUrl });
  // Every start has a socket of another place; the link leads there.
  const over = (given: string) => {
    const url = new URL(given);
    url.searchParams.set("host", link);
    return url.toString();
  };
  const superuserUrl = over(postgres.superuserUrl);
  return {
    ...{ runtimeUrl: over(postgres.runtimeUrl), superuserUrl },
    startedAnew: () => before + postgres.startedAnew,
    async restart() {
      await postgres.stop();
      await startOver();
    },
    async kill() {
      process.kill(postgres.pid, "SIGKILL");
      await postgres.ended;
      await startOver();
    },
    async revive() {
      await eventually(async () => {
        if (hasEnded) await startOver();
        return answers(superuserUrl);
      });
    },
    async [Symbol.asyncDispose]() {
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
