import pg, { type Client } from "pg";
import { CommitFailure } from "../ledger/index.ts";
import { inTransaction } from "./database.ts";

const LOCK_NOT_AVAILABLE = "55P03";
const FENCE_TRIES_MAX = 3;

const applicationName = (writer: bigint | string) => `remit-writer-${writer}`;

/** Makes this process known as a replica. May be repeated. */
export async function insertReplica(client: Client, replica: string, host: string): Promise<void> {
  await client.query("insert into replica (id, host) values ($1, $2) on conflict (id) do nothing", [replica, host]);
}

/**
 * A new writer on this connection. Its replica's row is locked: whoever declares the replica dead either sees the new
 * writer or keeps it from being born. Fails with `fenced` once the replica is dead.
 */
export async function insertWriter(client: Client, replica: string): Promise<bigint> {
  const { rows } = await client.query<{ writer: string }>(
    `with living as materialized (select id from replica where id = $1 and alive for no key update)
     insert into writer (replica, pid) select id, pg_backend_pid() from living returning writer`,
    [replica],
  );
  const row = rows[0];
  if (!row) throw new CommitFailure("fenced", "this replica was declared dead");
  // By this name its backend is found again: its pid alone may be another's one day.
  await client.query("select set_config('application_name', $1, false)", [applicationName(row.writer)]);
  return BigInt(row.writer);
}

/** Ends the backend of a writer, if it still runs. */
async function endBackend(client: Client, writer: bigint): Promise<void> {
  await client.query(
    `select pg_terminate_backend(a.pid) from writer w join pg_stat_activity a on a.pid = w.pid
      where w.writer = $1 and a.application_name = $2`,
    [writer, applicationName(writer)],
  );
}

// The last number is read in a statement of its own: one snapshot for both would not see what the lock waited for.
const LAST_N = `update writer set last_n = (select coalesce(max(n), 0) from record r where r.writer = writer.writer)`;

/**
 * Shuts a writer out. The update waits for the statement that holds the row; when that takes longer than the lock's
 * time-out, its backend is ended and the update is tried again.
 */
export async function fence(client: Client, writer: bigint): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      await inTransaction(client, "read committed", async () => {
        await client.query("set local lock_timeout = '1s'");
        await client.query("update writer set alive = false where writer = $1", [writer]);
        await client.query(`${LAST_N} where writer = $1 and last_n is null`, [writer]);
      });
      return;
    } catch (error) {
      const blocked = error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE;
      if (!blocked || tried === FENCE_TRIES_MAX) throw error;
      await endBackend(client, writer);
    }
  }
}

/** Declares a replica and all its writers dead. */
export async function endReplica(client: Client, replica: string): Promise<void> {
  await inTransaction(client, "read committed", async () => {
    await client.query("set local lock_timeout = '1s'");
    await client.query("update replica set alive = false where id = $1", [replica]);
    await client.query("select from writer where replica = $1 order by writer for no key update", [replica]);
    await client.query("update writer set alive = false where replica = $1", [replica]);
    await client.query(`${LAST_N} where replica = $1 and last_n is null`, [replica]);
  });
}
