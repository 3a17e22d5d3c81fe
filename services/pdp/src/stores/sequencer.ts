import type { Client, ClientBase, Pool } from "pg";
import { assert, BrokenInvariant } from "../foundation/assert.ts";
import { type Cursor, nextInLine, type SequencerStore, type SequencerTurn, type Unplaced } from "../ledger/index.ts";
import { byteaArray, dateArray, int8Array } from "./binary-array.ts";
import { ask, inTransaction } from "./database.ts";
import { createLanes, type Lane, type LanesOptions } from "./lane.ts";

/** Writers that are read at once: those whose next commits are the oldest. */
const WRITERS_MAX = 512;
/**
 * A writer's records have days in their order, unless the store's clock went back. So far back it may go: what would then
 * not be seen is missed as soon as the clock is right again, and stops the line. Where the clock was ahead for a while, the
 * day of today counts and not that of the last record: what comes next has an earlier one.
 */
const DAYS_BACK = 7;
const TODAY = "(now() at time zone 'utc')::date";
const NEXT_OF_CURSOR = `r.writer = c.writer and r.n > c.n and r.day >= least(c.day, ${TODAY}) - ${DAYS_BACK}`;

/**
 * The head, which is the fence: whoever holds its row gives places, and everything else is read in later statements, whose
 * snapshots see all that the holder before has done. Whoever finds it held has nothing to do. A head that moved in the
 * future is one of before the store's clock was set back: nobody waits for that hour to come again.
 */
const HEAD = {
  name: "sequencer-head",
  text: `select size::text as size from tree_head where $1 = 0
    or moved_at not between clock_timestamp() - make_interval(secs => $1::float8 / 1000) and clock_timestamp()
    for update skip locked`,
};

/**
 * A writer that was shut out has no record after its last number: where all of its records have their places, it has ended.
 * Told is whether there is one of which some have not; whether there is a cursor of an earlier day than today; and the first
 * day on which anything may come of any.
 */
const END = {
  name: "sequencer-end",
  rowMode: "array",
  text: `
with ended as (
  update seq_cursor c set ended = true from writer w
  where not c.ended and w.writer = c.writer and not w.alive and w.last_n <= c.n
)
select exists (
  select from seq_cursor c join writer w on w.writer = c.writer where not c.ended and not w.alive and w.last_n > c.n
), coalesce(min(day) < ${TODAY}, false), (least(min(day), ${TODAY}) - ${DAYS_BACK})::text
from seq_cursor where not ended`,
} as const;

/**
 * Asked only then, since what looks into records is set up for every day that is kept: the first of those writers of which
 * nothing is there that comes next. Its last records are missing: what sees the number that it was shut out with sees all
 * of them.
 */
const TAIL = {
  name: "sequencer-tail",
  rowMode: "array",
  text: `
select c.writer::text, (c.n + 1)::text from seq_cursor c join writer w on w.writer = c.writer
where not c.ended and not w.alive and w.last_n > c.n and not exists (select from record r where ${NEXT_OF_CURSOR})
order by c.writer limit 1`,
} as const;

/** A writer of which nothing comes next has recorded nothing on any day before this one that has no place. */
const IDLE = {
  name: "sequencer-idle",
  rowMode: "array",
  text: `
update seq_cursor c set day = ${TODAY}
where not c.ended and c.day < ${TODAY} and not exists (select from record r where ${NEXT_OF_CURSOR})`,
} as const;

/**
 * What has no place yet: of each writer that is not ended its next records. The writers whose next commits are the oldest
 * have most of what comes next: of the first twice as many are read as a turn takes, of the second half of that, and so on.
 * Beyond the last one that was read of a writer nothing is told of any, nor beyond the first one of a writer too many.
 * The first day of all writers is given, so that the days before it are left out when the statement is set up, and not
 * for each writer once it was.
 */
const UNPLACED = {
  name: "sequencer-unplaced",
  rowMode: "array",
  text: `
with first as materialized (
  select c.writer, c.n, c.day, f.ord from seq_cursor c cross join lateral (
    select r.ord from record r where ${NEXT_OF_CURSOR} and r.day >= $2::date order by r.n limit 1
  ) f where not c.ended
), ranked as materialized (
  select writer, n, day, ord, row_number() over (order by ord) as rank from first
), found as materialized (
  select c.writer, c.n as cursor, ceil(2.0 * $1 / c.rank)::bigint as most, r.n, r.ord, r.day, r.digest
  from ranked c cross join lateral (
    select r.n, r.ord, r.day, r.digest from record r where ${NEXT_OF_CURSOR} and r.day >= $2::date
    order by r.n limit ceil(2.0 * $1 / c.rank)
  ) r where c.rank <= ${WRITERS_MAX}
), told as (
  select min(upto) as upto from (
    select max(ord) as upto from found group by writer, most having count(*) = most
    union all select ord - 1 from ranked where rank = ${WRITERS_MAX} + 1
  ) f
)
select writer::text as writer, cursor::text as cursor, n::text as n, ord::text as ord, day::text as day, digest,
  told.upto is not null as "isPart"
from found, told where ord <= coalesce(told.upto, ord)`,
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

/** Writer, its cursor, number, order, day, digest, and whether a writer may have more than was read of it. */
type Row = [string, string, string, string, string, Buffer, boolean];

interface Found extends Unplaced {
  readonly day: string;
  readonly digest: Buffer;
}

interface News {
  readonly cursors: Cursor[];
  readonly records: Found[];
  readonly isPart: boolean;
}

async function readUnplaced(client: Client, most: number, fromDay: string): Promise<News> {
  const { rows } = await ask<Row>(client, { ...UNPLACED, values: [most, fromDay] });
  const cursors = new Map(rows.map(([writer, cursor]) => [writer, BigInt(cursor)]));
  return {
    isPart: rows[0]?.[6] ?? false,
    cursors: [...cursors].map(([writer, n]) => ({ epoch: BigInt(writer), n })),
    records: rows.map(([writer, , n, ord, day, digest]) => {
      return { epoch: BigInt(writer), n: BigInt(n), ord: BigInt(ord), day, digest };
    }),
  };
}

/** Where a writer that was shut out has recorded more, and nothing of it comes next. */
async function readStop(client: Client): Promise<SequencerTurn | undefined> {
  const [tail] = (await ask<[string, string]>(client, TAIL)).rows;
  return tail && { state: "stopped", gap: { epoch: BigInt(tail[0]), missing: BigInt(tail[1]) } };
}

/** See the statement. */
type Ends = [isAnyBehind: boolean, isAnyOld: boolean, fromDay: string];

/** One turn on a connection, with the head's row in its transaction. */
async function turnOn(client: Client, recordsMax: number, pauseMs: number): Promise<SequencerTurn> {
  const { rows: heads } = await client.query<{ size: string }>({ ...HEAD, values: [pauseMs] });
  const [head] = heads;
  if (!head) return { state: "elsewhere" };
  const [ends] = (await ask<Ends>(client, END)).rows;
  assert(ends, "an aggregate without groups has one row");
  const [isAnyBehind, isAnyOld, fromDay] = ends;
  const stop = isAnyBehind ? await readStop(client) : undefined;
  if (stop) return stop;
  if (isAnyOld) await ask(client, IDLE);
  const { cursors, records, isPart } = await readUnplaced(client, recordsMax, fromDay);
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
  return { state: "placed", placed: placed.length, size: BigInt(size), more: isPart || placed.length < records.length };
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
  /** The writer whose next number is not there although later ones are, or were when it was shut out. */
  readonly gap: { readonly writer: bigint; readonly missing: bigint } | undefined;
}

const STATUS = `
with first as (
  select c.writer, c.n + 1 as next, f.n, f.recorded_at, w.last_n from seq_cursor c
  left join writer w on w.writer = c.writer and not w.alive left join lateral (
    select r.n, r.recorded_at from record r where ${NEXT_OF_CURSOR} order by r.n limit 1
  ) f on true where not c.ended
)
select (select size::text from tree_head) as size, count(*)::int as writers,
  greatest(coalesce(max(extract(epoch from clock_timestamp() - recorded_at)), 0), 0)::float8 as lag,
  (select writer || ',' || next from first where coalesce(n, last_n, 0) > next or (n is null and last_n = next)
    order by writer limit 1) as gap
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
