import { mkdtemp, rm, symlink } from "node:fs/promises";
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
}

interface Options {
  readonly durable: boolean;
  /** Absent: a temporary one. */
  readonly dataDir?: string;
}

/** Longer than a recovery takes; one that takes longer is only begun again. */
const STUCK_AFTER_ASKED = 250;

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
  const link = join(directory, "socket");
  let hasEnded = false;
  const start = async (): Promise<EmbeddedPostgres> => {
    const started = await startEmbedded({ dataDir: dataDir ?? join(directory, "pg"), durable });
    hasEnded = false;
    void started.ended.then(() => {
      hasEnded = true;
    });
    await rm(link, { force: true });
    await symlink(started.socketDir, link);
    return started;
  };
  let postgres = await start();
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
    async restart() {
      await postgres.stop();
      postgres = await start();
    },
    async revive() {
      let asked = 0;
      await eventually(async () => {
        if (hasEnded) postgres = await start();
        if (await answers(superuserUrl)) return true;
        // One whose recovery failed for want of space may wait for it for ever, with room again: only a new start helps.
        if (++asked % STUCK_AFTER_ASKED === 0 && !hasEnded) process.kill(postgres.pid, "SIGQUIT");
        return false;
      });
    },
    async [Symbol.asyncDispose]() {
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
