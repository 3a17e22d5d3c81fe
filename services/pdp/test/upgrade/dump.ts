import type { ClientBase } from "pg";

/** The rows of a database of Remit, without its schema: that is what its migrations make. */
export interface Dump {
  /** The number of the last migration. */
  readonly schema: number;
  /** In the order in which they were created, so that each stands behind what it refers to. */
  readonly tables: readonly Table[];
  /** The values that sequences gave last. */
  readonly sequences: Readonly<Record<string, string>>;
  /** The UTC days that have partitions, as 2026-03-01. */
  readonly days: { readonly first: string; readonly last: string };
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Each row as Postgres writes it: the text of a composite value. */
  readonly rows: readonly string[];
}

// The texts of values depend on these.
const PLAIN =
  "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex'; set extra_float_digits = 1";

const TABLES = `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname <> 'schema_migration'
  group by c.oid, c.relname order by c.oid`;

const DAYS = `select to_char(min(day), 'YYYY-MM-DD') as first, to_char(max(day), 'YYYY-MM-DD') as last
  from (select to_date(right(relname, 8), 'YYYYMMDD') as day from pg_class where relname ~ '^record_[0-9]{8}$') partitions`;

/** Reads every row, as the owner of the tables and while nobody writes. */
export async function dumpDatabase(client: ClientBase): Promise<Dump> {
  await client.query(PLAIN);
  const { rows: versions } = await client.query("select max(number)::int as schema from schema_migration");
  const { rows: found } = await client.query<{ name: string; columns: string[] }>(TABLES);
  const tables: Table[] = [];
  for (const { name, columns } of found) {
    const { rows } = await client.query<{ row: string }>(`select r::text as row from public.${name} r order by 1`);
    tables.push({ name, columns, rows: rows.map(({ row }) => row) });
  }
  const { rows: sequences } = await client.query<{ name: string; last: string }>(
    "select sequencename as name, last_value::text as last from pg_sequences where schemaname = 'public' and last_value is not null",
  );
  const { rows: days } = await client.query(DAYS);
  return {
    schema: versions[0]?.schema,
    tables,
    sequences: Object.fromEntries(sequences.map(({ name, last }) => [name, last])),
    days: days[0],
  };
}

/** Puts the rows of a dump into a database whose tables are those of the dump's schema and empty; as the owner. */
export async function restoreDump(client: ClientBase, dump: Dump): Promise<void> {
  await client.query(PLAIN);
  await makePartitions(client, dump.days.first, dump.days.last);
  for (const { name, columns, rows } of dump.tables) {
    // What triggers once made of these rows is in the dump itself.
    await client.query(`alter table public.${name} disable trigger user`);
    await client.query(
      `insert into public.${name} (${columns.join(", ")}) overriding system value
       select (row::public.${name}).* from unnest($1::text[]) as row`,
      [rows],
    );
    await client.query(`alter table public.${name} enable trigger user`);
  }
  for (const [name, last] of Object.entries(dump.sequences)) await client.query("select setval($1, $2)", [name, last]);
}

const TODAY = "(now() at time zone 'utc')::date";

/** Makes the partitions of given days as the service had made them when those days were to come. */
export async function makePartitions(client: ClientBase, first: string, last: string): Promise<void> {
  const { rows } = await client.query<{ text: string }>(
    "select pg_get_functiondef('remit_ensure_partitions(integer)'::regprocedure) as text",
  );
  const text = rows[0]?.text ?? "";
  if (!text.includes(TODAY)) throw new Error("remit_ensure_partitions asks for today in another way");
  await client.query(text.replace("remit_ensure_partitions(", "partitions_of(").replace(TODAY, `date '${first}'`));
  await client.query("select partitions_of($1::date - $2::date)", [last, first]);
  await client.query("drop function partitions_of(integer)");
}
