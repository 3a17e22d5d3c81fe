import type { ClientBase, Pool, QueryArrayConfig } from "pg";
import type { NewRecord, RecordKind, RecordOutcome, StoredRecord } from "../ledger/index.ts";
import { byteaArray, dateArray, textArray, uuidArray } from "./binary-array.ts";

/**
 * Whether its tenant was erased is read with the record: once that was answered, nobody reads what it said, from memory
 * either.
 */
export const ERASED =
  "exists (select from data_key k where k.tenant = r.tenant and k.destroyed_at is not null) as erased";

const COLUMNS = `r.writer, r.n, r.id, r.tenant, r.session, r.kind, r.digest, r.body, r.aside, ${ERASED}`;

type Row = [string, string, string, string, string, RecordKind, Buffer, Buffer, Buffer | null, boolean];

function storedRecord([writer, n, id, tenant, session, kind, digest, body, aside, erased]: Row): StoredRecord {
  const known = { epoch: BigInt(writer), n: BigInt(n), id, tenant, session, kind, digest };
  if (erased) return { ...known, body: new Uint8Array(0), erased };
  return { ...known, body, ...(aside && { aside }) };
}

/** What stands under the keys of a batch: one row a key that is taken, led by its place in the batch. */
export function takenQuery(batch: readonly NewRecord[]): QueryArrayConfig {
  return {
    name: "ledger-taken",
    text: `select given.i::int, c.digest, ${COLUMNS}
      from unnest($1::date[], $2::text[], $3::uuid[], $4::bytea[]) with ordinality as given (day, tenant, session, key, i)
      join call c on c.day = given.day and c.tenant = given.tenant and c.session = given.session and c.key = given.key
      join record r on r.id = c.id`,
    rowMode: "array",
    values: [
      dateArray(batch.map((record) => record.sessionDay)),
      textArray(batch.map((record) => record.tenant)),
      uuidArray(batch.map((record) => record.session)),
      byteaArray(batch.map((record) => record.key)),
    ],
  };
}

/** What became of each record of a batch by what stands under its key; null where nothing does. */
export function readTaken(batch: readonly NewRecord[], rows: unknown[][]): (RecordOutcome | null)[] {
  const outcomes: (RecordOutcome | null)[] = batch.map(() => null);
  for (const [place, request, ...columns] of rows as [number, Buffer, ...Row][]) {
    const own = batch[place - 1];
    if (own) outcomes[place - 1] = outcomeOf(own, request, storedRecord(columns));
  }
  return outcomes;
}

function outcomeOf(own: NewRecord, request: Buffer, record: StoredRecord): RecordOutcome {
  // Ours after all: an acknowledgement that was lost, or the same record handed over twice.
  if (record.id === own.id) return { outcome: "inserted", ref: { epoch: record.epoch, n: record.n } };
  return { outcome: request.equals(own.request) ? "existing" : "reused", record };
}

async function find(from: ClientBase | Pool, name: string, where: string, values: unknown[]): Promise<StoredRecord[]> {
  const text = `select ${COLUMNS} from ${where}`;
  const { rows } = await from.query<Row>({ name, text, values, rowMode: "array" });
  return rows.map(storedRecord);
}

export async function findByKeys(
  from: Pool,
  tenant: string,
  session: string,
  day: string,
  keys: readonly Uint8Array[],
): Promise<(StoredRecord | null)[]> {
  const text = `select given.i::int, ${COLUMNS} from unnest($4::bytea[]) with ordinality as given (key, i)
      join call c on c.day = $1::date and c.tenant = $2 and c.session = $3 and c.key = given.key
      join record r on r.id = c.id`;
  const values = [day, tenant, session, byteaArray(keys)];
  const { rows } = await from.query<[number, ...Row]>({ name: "ledger-by-keys", text, values, rowMode: "array" });
  const found: (StoredRecord | null)[] = keys.map(() => null);
  for (const [place, ...columns] of rows) found[place - 1] = storedRecord(columns);
  return found;
}

export async function findById(from: Pool, tenant: string, id: string) {
  const [found = null] = await find(from, "ledger-by-id", "record r where r.id = $1 and r.tenant = $2", [id, tenant]);
  return found;
}

/** In the order of their commits, and of their numbers in one. */
export function findBySubject(from: Pool, tenant: string, subject: string) {
  const where = "record r where r.subject = $1 and r.tenant = $2 order by r.ord, r.n";
  return find(from, "ledger-by-subject", where, [subject, tenant]);
}
