import type { QueryArrayConfig } from "pg";
import type { NewRecord } from "../ledger/index.ts";
import { byteaArray, dateArray, int8Array, textArray, timestamptzArray, uuidArray } from "./binary-array.ts";

/**
 * The commit: one statement that finds its writer alive or does nothing, numbers what it inserts, and says three
 * things apart: whether the writer lives, how many rows were judged recently enough, what was inserted.
 *
 * The writer's row is locked until the commit, so whoever shuts the writer out waits for this statement, and no later
 * one finds it alive. FOR NO KEY UPDATE is what conflicts with that update and with nothing else.
 *
 * Keys are inserted in their order: two batches that overlap wait for each other and never in a circle.
 * `$2` is the greatest number this writer has seen, so numbers have no gaps whatever was not inserted.
 */
const COMMIT = `
with fence as materialized (
  select writer, nextval('record_ord') as ord from writer where writer = $1 and alive for no key update
), given as materialized (
  select given.*, fence.ord
  from fence, unnest($3::date[], $4::text[], $5::uuid[], $6::bytea[], $7::uuid[], $8::bytea[], $9::text[], $10::uuid[],
      $11::bigint[], $12::timestamptz[], $13::bytea[], $14::bytea[], $15::bytea[], $16::uuid[], $17::text[]) with ordinality
    as given (day, tenant, session, key, id, request, kind, subject, judged_under, expires_at, digest, body, aside, run,
      trail, i)
  where given.judged_under >= coalesce((select r.security from revision r where r.tenant = given.tenant), 0)
), called as (
  insert into call (day, tenant, session, key, id, digest)
  select day, tenant, session, key, id, request from given order by day, tenant, session, key, i
  on conflict (day, tenant, session, key) do nothing
  returning id
), recorded as (
  insert into record (day, writer, n, ord, id, tenant, session, kind, subject, expires_at, digest, body, aside, run,
      trail)
  select (now() at time zone 'utc')::date, $1, $2 + row_number() over (order by i), ord, id, tenant, session, kind,
      subject, expires_at, digest, body, aside, run, trail
  from given join called using (id)
  returning n, id
), told as (
  select count(*)::int as inserted, max(n) as greatest from recorded
)
select (select count(*) from fence)::int, told.inserted, told.greatest,
  case when told.inserted < (select count(*) from unnest($7::uuid[]))
    then coalesce((select array_agg(id::text order by n) from recorded), '{}') end
from told`;

/** `$1` to `$17`. Throws on a record that has no such form. */
export function recordParameters(writer: bigint, base: bigint, batch: readonly NewRecord[]): unknown[] {
  return [
    String(writer),
    String(base),
    dateArray(batch.map((record) => record.sessionDay)),
    textArray(batch.map((record) => record.tenant)),
    uuidArray(batch.map((record) => record.session)),
    byteaArray(batch.map((record) => record.key)),
    uuidArray(batch.map((record) => record.id)),
    byteaArray(batch.map((record) => record.request)),
    textArray(batch.map((record) => record.kind)),
    uuidArray(batch.map((record) => record.subject)),
    int8Array(batch.map((record) => record.securityRevision)),
    timestamptzArray(batch.map((record) => record.expiresAtMs)),
    byteaArray(batch.map((record) => record.digest)),
    byteaArray(batch.map((record) => record.body)),
    byteaArray(batch.map((record) => record.aside)),
    uuidArray(batch.map((record) => record.counted?.run)),
    textArray(batch.map((record) => record.counted?.trail)),
  ];
}

/** The commit of a batch whose ids are distinct. Throws on a record that has no such form. */
export function commitQuery(writer: bigint, base: bigint, batch: readonly NewRecord[]): QueryArrayConfig {
  const values = recordParameters(writer, base, batch);
  return { name: "ledger-commit", text: COMMIT, rowMode: "array", values };
}

/** What the commit says. */
export interface Committed {
  readonly alive: boolean;
  readonly inserted: number;
  /** The greatest number given; null when nothing was inserted. */
  readonly greatest: bigint | null;
  /** The ids that were inserted, in the order of their numbers; null when all were. */
  readonly ids: readonly string[] | null;
}

/** Reads the commit's only row. */
export function readCommitted(row: unknown[] | undefined): Committed {
  const [alive, inserted, greatest, ids] = row as [number, number, string | null, string[] | null];
  return { alive: alive === 1, inserted, greatest: greatest === null ? null : BigInt(greatest), ids };
}
