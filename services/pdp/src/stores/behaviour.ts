import type { Pool } from "pg";
import type { BehaviourStore, Reset, Trailed } from "../behaviour/index.ts";

/** By the index `record_run`. Days by the store's clock: nothing that still counts was committed before yesterday. */
const LATEST = `select r.id, r.session, r.subject, r.trail from record r
  where r.run = $1 and r.tenant = $2 and r.id >= $3 and r.trail is not null
    and r.day >= (now() at time zone 'utc')::date - 1
  order by r.id desc limit $4`;

/*
 * What the writers of other replicas recorded, read by the primary key. A writer has one statement in flight, so its
 * rows become visible in the order of their numbers: what lies behind the cursor has been read. One that was born since
 * the last time is read from its first. One that is dead and had nothing more to tell is not asked again.
 */
const SINCE = `with known as (
    select * from unnest($2::bigint[], $3::bigint[]) as known (writer, n)
  ), asked as (
    select w.writer, w.alive, coalesce(k.n, 0) as n from writer w left join known k on k.writer = w.writer
     where w.replica <> $1 and (w.alive or k.writer is not null)
  )
  select a.writer::text, a.n::text, a.alive, r.n::text as at, r.run, r.id, r.session, r.subject, r.trail
    from asked a left join record r on r.writer = a.writer and r.n > a.n and r.day >= (now() at time zone 'utc')::date - 1
   order by a.writer, r.n`;

const STAND = `select w.writer::text, coalesce(max(r.n), 0)::text as n from writer w
    left join record r on r.writer = w.writer and r.day >= (now() at time zone 'utc')::date - 1
   where w.replica <> $1 and w.alive group by w.writer`;

const RESETS = `select tenant, run, tool, round(extract(epoch from reset_at) * 1000)::float8 as at
  from breaker_reset where run is not null order by reset_at desc limit $1`;
/** More than an operator sets aside in the time that breakers remember. */
const RESETS_MAX = 10_000;

interface SinceRow {
  readonly writer: string;
  readonly n: string;
  readonly alive: boolean;
  readonly at: string | null;
  readonly run: string | null;
  readonly id: string;
  readonly session: string;
  readonly subject: string | null;
  readonly trail: string | null;
}

function readSince(rows: readonly SinceRow[]) {
  const cursors = new Map<bigint, bigint>();
  const records: Trailed[] = [];
  for (const { writer, n, alive, at, run, id, session, subject, trail } of rows) {
    if (alive || at !== null) cursors.set(BigInt(writer), BigInt(at ?? n));
    if (run !== null && trail !== null) records.push({ run, id, session, subject, trail });
  }
  return { cursors, records };
}

/** What breakers need, from Postgres. `replica`: this process, whose own records it knows without reading them. */
export function createBehaviourStore(pool: Pool, replica: string): BehaviourStore {
  return {
    async latest(tenant, run, fromId, recordsMax) {
      const values = [run, tenant, fromId, recordsMax];
      return (await pool.query({ name: "behaviour-latest", text: LATEST, values })).rows;
    },
    async since(cursors) {
      if (!cursors) {
        const { rows } = await pool.query<{ writer: string; n: string }>(STAND, [replica]);
        return { cursors: new Map(rows.map(({ writer, n }) => [BigInt(writer), BigInt(n)])), records: [] };
      }
      const values = [replica, [...cursors.keys()].map(String), [...cursors.values()].map(String)];
      const { rows } = await pool.query<SinceRow>({ name: "behaviour-since", text: SINCE, values });
      return readSince(rows);
    },
    async resets() {
      const { rows } = await pool.query({ name: "behaviour-resets", text: RESETS, values: [RESETS_MAX] });
      return rows.map(
        ({ tenant, run, tool, at }): Reset => ({ tenant, run, tool: tool ?? undefined, atMs: Number(at) }),
      );
    },
  };
}
