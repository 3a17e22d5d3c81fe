import type { Client, ClientBase, Pool } from "pg";
import { BrokenInvariant } from "../foundation/assert.ts";
import { type Cursor, nextInLine, type SequencerStore, type SequencerTurn, type Unplaced } from "../ledger/index.ts";
import { byteaArray, dateArray, int8Array } from "./binary-array.ts";
import { ask, inTransaction } from "./database.ts";
import { createLanes, type Lane, type LanesOptions } from "./lane.ts";

/** Writers that are read at once; those whose next commits are older than all others'. */
const WRITERS_MAX = 32;
/**
 * A writer's records have days in their order, unless the store's clock went back. So far back it may go: what would then
 * not be seen is missed as soon as the clock is right again, and stops the line.
 */
const DAYS_BACK = 7;

/**
 * The head, which is the fence: whoever holds its row gives places, and everything else is read in later statements, whose
 * snapshots see all that the holder before has done. Whoever finds it held has nothing to do.
 */
const HEAD = {
  name: "sequencer-head",
  text: `select size::text as size from tree_head
    where $1 = 0 or moved_at < clock_timestamp() - make_interval(secs => $1::float8 / 1000) for update skip locked`,
};

/**
 * What has no place yet: of each writer that is not ended its next records. Where there are many such writers, those with
 * the oldest commits alone, as far as no other one's are older.
 */
const UNPLACED = {
  name: "sequencer-unplaced",
  rowMode: "array",
  text: `
with first as materialized (
  select c.writer, c.n, c.day, f.ord from seq_cursor c cross join lateral (
    select r.ord from record r where r.writer = c.writer and r.n > c.n and r.day >= c.day - ${DAYS_BACK}
    order by r.n limit 1
  ) f where not c.ended order by f.ord limit ${WRITERS_MAX + 1}
), near as (
  select * from first order by ord limit ${WRITERS_MAX}
)
select near.writer::text as writer, near.n::text as cursor, r.n::text as n, r.ord::text as ord, r.day::text as day, r.digest
from near cross join lateral (
  select r.n, r.ord, r.day, r.digest from record r
  where r.writer = near.writer and r.n > near.n and r.day >= near.day - ${DAYS_BACK} order by r.n limit $1
) r
where r.ord < coalesce((select max(ord) from first having count(*) > ${WRITERS_MAX}), 9223372036854775807)`,
} as const;

const PLACE = {
  name: "sequencer-place",
  rowMode: "array",
  text: `
with placed as (
  insert into leaf (seq, writer, n, digest)
  select $1::bigint + p.i, p.writer, p.n, p.digest
  from unnest($2::bigint[], $3::bigint[], $4::bytea[]) with ordinality as p (writer, n, digest, i)
  returning 1
), moved as (
  update seq_cursor c set n = m.n, day = m.day from unnest($5::bigint[], $6::bigint[], $7::date[]) as m (writer, n, day)
  where c.writer = m.writer
  returning 1
)
update tree_head set size = $1::bigint + (select count(*) from placed), moved_at = clock_timestamp()
where size = $1::bigint and (select count(*) from moved) = cardinality($5::bigint[])
returning size::text as size`,
} as const;

/** A writer that was shut out has no record after its last number. */
const END = {
  name: "sequencer-end",
  text: `update seq_cursor c set ended = true from writer w
    where not c.ended and w.writer = c.writer and not w.alive and w.last_n <= c.n`,
};

/** Writer, its cursor, number, order, day and digest. */
type Row = [string, string, string, string, string, Buffer];

interface Found extends Unplaced {
  readonly day: string;
  readonly digest: Buffer;
}

async function readUnplaced(client: Client, most: number): Promise<{ cursors: Cursor[]; records: Found[] }> {
  const { rows } = await ask<Row>(client, { ...UNPLACED, values: [most] });
  const cursors = new Map(rows.map(([writer, cursor]) => [writer, BigInt(cursor)]));
  return {
    cursors: [...cursors].map(([writer, n]) => ({ epoch: BigInt(writer), n })),
    records: rows.map(([writer, , n, ord, day, digest]) => {
      return { epoch: BigInt(writer), n: BigInt(n), ord: BigInt(ord), day, digest };
    }),
  };
}

/** One turn on a connection, with the head's row in its transaction. */
async function turnOn(client: Client, recordsMax: number, pauseMs: number): Promise<SequencerTurn> {
  const { rows: heads } = await client.query<{ size: string }>({ ...HEAD, values: [pauseMs] });
  const [head] = heads;
  if (!head) return { state: "elsewhere" };
  const { cursors, records } = await readUnplaced(client, recordsMax);
  const next = nextInLine(cursors, records, recordsMax);
  if (next.state === "stopped") return next;
  const placed = next.records;
  let { size } = head;
  if (placed.length > 0) {
    const days = new Map(placed.map(({ epoch, day }) => [epoch, day]));
    const values = [
      ...[size, int8Array(placed.map(({ epoch }) => epoch)), int8Array(placed.map(({ n }) => n))],
      byteaArray(placed.map(({ digest }) => digest)),
      ...[int8Array(next.cursors.map(({ epoch }) => epoch)), int8Array(next.cursors.map(({ n }) => n))],
      dateArray(next.cursors.map(({ epoch }) => days.get(epoch) ?? "")),
    ];
    const [moved] = (await ask<[string]>(client, { ...PLACE, values })).rows;
    if (!moved) throw new BrokenInvariant("the head of the ledger moved while its row was locked");
    size = moved[0];
  }
  await client.query(END);
  return { state: "placed", placed: placed.length, size: BigInt(size) };
}

async function prepared(lane: Lane): Promise<Lane> {
  try {
    // Planned once, maybe while a table was small, and all that is looked for has an index.
    await lane.within((client) => client.query("set enable_seqscan = off"));
    return lane;
  } catch (error) {
    lane.destroy(error as Error);
    throw error;
  }
}

/** The sequencer's store over Postgres, on a connection of its own: it waits for no decision, and none waits for it. */
export function createSequencerStore(options: LanesOptions): SequencerStore {
  const lanes = createLanes(options);
  let lane: Lane | undefined;
  return {
    turn: async ({ recordsMax, pauseMs }) => {
      if (!lane || lane.gone()) lane = await prepared(await lanes.open("remit-sequencer"));
      try {
        return await lane.within((client) =>
          inTransaction(client, "read committed", () => turnOn(client, recordsMax, pauseMs)),
        );
      } catch (error) {
        lane.destroy(error as Error);
        throw error;
      }
    },
    close: async () => lane?.close(),
  };
}

/** How far the places are, in the whole cell. */
export interface SequencerStatus {
  /** How many records have a place. */
  readonly size: bigint;
  /** Writers of which records may still come. */
  readonly writers: number;
  /** How long the oldest record without a place has been waiting, in seconds; 0 when none waits. */
  readonly lagSeconds: number;
  /** The writer whose next number is not there although later ones are. */
  readonly gap: { readonly writer: bigint; readonly missing: bigint } | undefined;
}

const STATUS = `
with first as (
  select c.writer, c.n + 1 as next, f.n, f.recorded_at from seq_cursor c left join lateral (
    select r.n, r.recorded_at from record r where r.writer = c.writer and r.n > c.n and r.day >= c.day - ${DAYS_BACK}
    order by r.n limit 1
  ) f on true where not c.ended
)
select (select size::text from tree_head) as size, count(*)::int as writers,
  greatest(coalesce(max(extract(epoch from clock_timestamp() - recorded_at)), 0), 0)::float8 as lag,
  (select writer || ',' || next from first where n > next order by writer limit 1) as gap
from first`;

export async function readSequencerStatus(from: Pool | ClientBase): Promise<SequencerStatus> {
  const { rows } = await from.query<{ size: string; writers: number; lag: number; gap: string | null }>(STATUS);
  const [row] = rows;
  const [writer, missing] = row?.gap?.split(",").map(BigInt) ?? [];
  return {
    ...{ size: BigInt(row?.size ?? 0), writers: row?.writers ?? 0, lagSeconds: row?.lag ?? 0 },
    gap: writer === undefined || missing === undefined ? undefined : { writer, missing },
  };
}
