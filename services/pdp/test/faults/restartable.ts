import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbedded } from "../../src/stores/embedded.ts";
import { migrate } from "../../src/stores/migrate.ts";

/** A Postgres that can be stopped and started again at the same addresses: migrated, and nobody else's. */
export interface Restartable extends AsyncDisposable {
  readonly runtimeUrl: string;
  readonly superuserUrl: string;
  restart(): Promise<void>;
}

export async function startRestartable({ durable }: { readonly durable: boolean }): Promise<Restartable> {
  const directory = await mkdtemp(join(tmpdir(), "remit-faults-"));
  const link = join(directory, "socket");
  const start = async () => {
    const started = await startEmbedded({ dataDir: join(directory, "pg"), durable });
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
  return {
    runtimeUrl: over(postgres.runtimeUrl),
    superuserUrl: over(postgres.superuserUrl),
    async restart() {
      await postgres.stop();
      postgres = await start();
    },
    async [Symbol.asyncDispose]() {
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
