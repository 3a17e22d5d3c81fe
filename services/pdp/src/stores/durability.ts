import { Fault } from "../foundation/fault.ts";
import type { Queryable } from "./migrate.ts";

/**
 * Throws when Postgres may forget what it has acknowledged. To be asked outside development mode, on a connection as
 * the service uses it: both settings can be set for a role or a database.
 */
export async function checkDurability(client: Queryable): Promise<void> {
  const { rows } = await client.query(
    "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit",
  );
  const off = Object.entries(rows[0] ?? {}).filter(([, value]) => value === "off");
  if (off.length === 0) return;
  const names = off.map(([name]) => name).join(" and ");
  throw new Fault(
    "precondition",
    "store_not_durable",
    `Postgres runs with ${names} off: it may forget what was recorded`,
    {
      fix: `set ${off.map(([name]) => `${name} = on`).join(" and ")}, or start in development mode`,
    },
  );
}
