import { engineVersion } from "@remit/engine";
import { Fault } from "../foundation/fault.ts";
import type { Queryable } from "./migrate.ts";

/** Which Postgres this is: its cluster, and how often another server took over from the one before. */
export interface CellIdentity {
  readonly systemIdentifier: bigint;
  readonly timeline: number;
}

/**
 * The timeline is read from where the server writes now. pg_control_checkpoint() tells it as of the last checkpoint,
 * and would name the old one for a while after a promotion.
 */
const IDENTITY = `select system_identifier::text as system,
  ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline from pg_control_system()`;

interface Row {
  readonly system: string;
  readonly timeline: number;
}

const fromRow = (row: Row): CellIdentity => ({ systemIdentifier: BigInt(row.system), timeline: row.timeline });

const NOT_A_PRIMARY = "55000";

/** The identity of the server that a connection reached. Throws when it is a standby. */
export async function cellIdentity(client: Queryable): Promise<CellIdentity> {
  try {
    const { rows } = await client.query(IDENTITY);
    return fromRow(rows[0] as unknown as Row);
  } catch (cause) {
    if ((cause as { code?: string }).code !== NOT_A_PRIMARY) throw cause;
    throw new Fault("unavailable", "store_read_only", "this Postgres is a standby: nothing can be recorded on it", {
      fix: "point REMIT_DATABASE_URL at the primary",
    });
  }
}

/** The pair that was stored at the first start, or null. */
export async function storedIdentity(client: Queryable): Promise<CellIdentity | null> {
  const { rows } = await client.query("select system_identifier::text as system, timeline from cell");
  return rows[0] === undefined ? null : fromRow(rows[0] as unknown as Row);
}

/** Stores which Postgres this is and which engine decides, once; of several first starts one does. Answers what is stored. */
export async function claimCell(client: Queryable): Promise<CellIdentity> {
  const now = await cellIdentity(client);
  // A new cell has no build beside it that could not read what is sealed.
  await client.query(
    "insert into cell (system_identifier, timeline, sealing, engine) values ($1, $2, true, $3) on conflict (one) do nothing",
    [now.systemIdentifier.toString(), now.timeline, engineVersion],
  );
  return (await storedIdentity(client)) ?? now;
}

const words = ({ systemIdentifier, timeline }: CellIdentity): string =>
  `system ${systemIdentifier}, timeline ${timeline}`;

/**
 * Throws unless this is the Postgres that the cell was started on: to be asked on every new connection that writes. A
 * crash and a restart keep the pair. A promoted standby and a restored backup do not, and may lack commits that were
 * answered: the line stops until `remit recover` has counted every open chunk as spent.
 */
export async function checkCell(client: Queryable): Promise<void> {
  const now = await cellIdentity(client);
  const stored = await storedIdentity(client);
  if (stored === null) {
    throw new Fault("precondition", "cell_unclaimed", "nobody has started on this database yet", {
      fix: "start the service: its first start stores which Postgres this is",
    });
  }
  if (stored.systemIdentifier === now.systemIdentifier && stored.timeline === now.timeline) return;
  throw new Fault(
    "precondition",
    "cell_changed",
    `this is another Postgres than the one that recorded before (${words(stored)}; now ${words(now)}): commits may be lost`,
    { fix: "nothing is recorded until an operator has run `remit recover`; see the failure table" },
  );
}
