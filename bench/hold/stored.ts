import pg, { type Pool } from "pg";
import { openPool } from "../../services/pdp/src/stores/database.ts";
import { startEmbedded } from "../../services/pdp/src/stores/embedded.ts";
import { migrate } from "../../services/pdp/src/stores/migrate.ts";
import { startTlsPostgres } from "../../services/pdp/test/support/tls-postgres.ts";
import { type Pause, prepareWith, type Work } from "./turns.ts";

/** The tenant whose rows are at their limits. */
const TENANT = "t";

const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} } as never;

/** How the store is spoken to: over its socket, or by TCP and TLS. */
export type Wire = "plain" | "TLS";

async function postgresOver(wire: Wire) {
  if (wire === "TLS") return startTlsPostgres();
  const postgres = await startEmbedded({ durable: false });
  return { postgres, runtimeUrl: postgres.runtimeUrl, close: postgres.stop };
}

/** A Postgres of this process, filled by statements of its superuser, and a pool as the service has it. */
async function storeWith(fill: readonly string[], pause: Pause, wire: Wire) {
  const { postgres, runtimeUrl: url, close } = await postgresOver(wire);
  await migrate({ url: postgres.ownerUrl });
  const client = new pg.Client({ connectionString: postgres.superuserUrl });
  await client.connect();
  await client.query("insert into tenant (id) values ($1), ('nobody')", [TENANT]);
  await client.query("insert into revision (tenant, security, policy) select id, 1, 1 from tenant");
  for (const text of fill) await client.query(text);
  await client.query("analyze");
  await client.end();
  const pool = openPool({ url, name: "bench", log: silent, pause });
  return { pool, close };
}

/**
 * Work on what a store holds of a tenant at its limits, after the same has been done again and again for one that has
 * nothing: of the store's own work this thread takes none. `pause` is what the work is given.
 */
export function stored<Made>(
  fill: readonly string[],
  make: (pool: Pool, pause: Pause) => Made,
  work: (made: Made, tenant: string, pause: Pause) => unknown,
  wire: Wire = "plain",
): Work {
  let given: Pause | undefined;
  const pause = async () => given?.();
  let open: { readonly made: Made; readonly close: () => Promise<void> } | undefined;
  return prepareWith(
    async () => {
      const { pool, close } = await storeWith(fill, pause, wire);
      const made = make(pool, pause);
      open = { made, close: () => pool.end().then(close) };
      for (let round = 0; round < 50; round++) await work(made, "nobody", pause);
    },
    (its) => {
      given = its;
      return open && work(open.made, TENANT, pause);
    },
    async () => open?.close(),
  );
}
