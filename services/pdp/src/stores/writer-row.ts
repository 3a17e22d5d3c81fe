import pg, { type Client } from "pg";
import { CommitFailure } from "../ledger/index.ts";
import { inTransaction } from "./database.ts";

const LOCK_NOT_AVAILABLE = "55P03";
const FENCE_TRIES_MAX = 3;

const applicationName = (writer: bigint | string) => `remit-writer-${writer}`;

/** Makes this process known as a replica, with a counter to be seen by. May be repeated. */
export async function insertReplica(client: Client, replica: string, host: string): Promise<void> {
  // One commit: a replica without a counter is one of a build that moves none, and is never suspected.
  await inTransaction(client, "read committed", async () => {
    const { rowCount } = await client.query(
      "insert into replica (id, host) values ($1, $2) on conflict (id) do nothing",
      [replica, host],
    );
    if (rowCount === 1) await client.query("insert into heartbeat (replica) values ($1)", [replica]);
  });
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

/** Whom a fence shuts out: one writer, or all of a replica. */
type Whom = { readonly writer: bigint } | { readonly replica: string };

const condition = (whom: Whom) => ("writer" in whom ? "w.writer = $1" : "w.replica = $1");
const value = (whom: Whom) => ("writer" in whom ? whom.writer : whom.replica);

/** Ends the backends of writers that still run. Their replica may live on: it finds that it is shut out. */
async function endBackends(client: Client, whom: Whom): Promise<void> {
  await client.query(
    `select pg_terminate_backend(a.pid) from writer w join pg_stat_activity a on a.pid = w.pid
      where ${condition(whom)} and a.application_name = 'remit-writer-' || w.writer`,
    [value(whom)],
  );
}

/**
 * Does what shuts writers out. Their rows are waited for; when that takes longer than the lock's time-out, their backends
 * are ended and it is done again: a client that was paused between its statement and the end of its transaction would
 * hold its row for ever.
 */
async function insistently<Value>(client: Client, whom: Whom, fencing: () => Promise<Value>): Promise<Value> {
  for (let tried = 1; ; tried++) {
    try {
      return await inTransaction(client, "read committed", async () => {
        await client.query("set local lock_timeout = '1s'");
        return await fencing();
      });
    } catch (error) {
      const blocked = error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE;
      if (!blocked || tried === FENCE_TRIES_MAX) throw error;
      await endBackends(client, whom);
    }
  }
}

/**
 * Shuts the writers out, in the order of their numbers. The last number is read in a statement of its own: one snapshot
 * for both would not see what the lock has waited for.
 */
async function shutOut(client: Client, whom: Whom): Promise<void> {
  const where = condition(whom);
  await client.query(`select from writer w where ${where} order by w.writer for no key update`, [value(whom)]);
  await client.query(`update writer w set alive = false where ${where}`, [value(whom)]);
  await client.query(
    `update writer w set last_n = (select coalesce(max(n), 0) from record r where r.writer = w.writer)
      where ${where} and last_n is null`,
    [value(whom)],
  );
}

/** Shuts a writer out. */
export async function fence(client: Client, writer: bigint): Promise<void> {
  await insistently(client, { writer }, () => shutOut(client, { writer }));
}

/** Declares a replica and all its writers dead. Answers whether it was alive until now. */
export async function endReplica(client: Client, replica: string): Promise<boolean> {
  const ended = await insistently(client, { replica }, async () => {
    const { rowCount } = await client.query("update replica set alive = false where id = $1 and alive", [replica]);
    await shutOut(client, { replica });
    return rowCount === 1;
  });
  // Whoever is dead has no counter. A beat that is under way may hold the row: then the next one to look removes it.
  await client.query(
    `delete from heartbeat where replica in (select replica from heartbeat where replica = $1 for update skip locked)`,
    [replica],
  );
  return ended;
}
