import pg from "pg";
import { Fault } from "../foundation/fault.ts";
import { quoted } from "../foundation/quoted.ts";
import { HINTS } from "./change-feed.ts";
import { inTransaction } from "./database.ts";

const VERSION = /^[0-9A-Za-z.+-]{1,64}$/;

/**
 * Names the version of the engine that decides in a cell, and moves the security revision of every tenant with it: what
 * another engine judged before is refused by the commit. As the owner of the tables. Answers the version before.
 */
export async function nameEngine(url: string, engine: string): Promise<string | undefined> {
  if (!VERSION.test(engine)) {
    throw new Fault("invalid", "request_invalid", `${quoted(engine)} is no version of an engine`, {
      limit: "1 to 64 letters, digits, dots, hyphens and plus signs",
      fix: "name one that a replica of the new build reports at /readyz",
    });
  }
  const client = new pg.Client({ connectionString: url, application_name: "remit-engine" });
  client.on("error", () => {});
  await client.connect();
  try {
    return await inTransaction(client, "read committed", async () => {
      const { rows } = await client.query<{ engine: string | null }>("select engine from cell for update");
      const [cell] = rows;
      if (!cell) {
        throw new Fault("precondition", "cell_unclaimed", "nobody has started on this database yet", {
          fix: "start the service: its first start names its own engine",
        });
      }
      if (cell.engine === engine) return engine;
      await client.query("update cell set engine = $1", [engine]);
      await client.query(
        "update revision set security = security + 1 where tenant in (select tenant from revision order by tenant for update)",
      );
      await client.query(`select pg_notify('${HINTS}', '')`);
      return cell.engine ?? undefined;
    });
  } finally {
    await client.end();
  }
}
