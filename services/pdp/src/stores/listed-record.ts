import type { Pool } from "pg";
import type { DecisionRange, ListedRecord, ListedRecords, RecordKind, StoredRecord } from "../ledger/index.ts";
import { uuidArray } from "./binary-array.ts";
import { ERASED } from "./stored-record.ts";

const COLUMNS =
  "r.writer, r.n, r.id, r.tenant, r.session, r.kind, r.digest, r.body, coalesce(octet_length(r.aside), 0)";

type Row = [string, string, string, string, string, RecordKind, Buffer, Buffer, number, boolean];

function listedRecord([writer, n, id, tenant, session, kind, digest, body, asideBytes, erased]: Row): ListedRecord {
  const known = { epoch: BigInt(writer), n: BigInt(n), id, tenant, session, kind, digest };
  return erased ? { ...known, body: new Uint8Array(0), asideBytes: 0, erased } : { ...known, body, asideBytes };
}

/**
 * By the indexes `record_decision` and `record_admin`, which hold those of each tenant in the order of their ids. How long
 * a body is, or what stands beside it, Postgres knows without reading that: so it reads no more than is asked for.
 */
export async function listDecisions(from: Pool, tenant: string, range: DecisionRange): Promise<ListedRecords> {
  const { kind = "decision", fromId, beforeId, session, recordsMax, bytesMax } = range;
  // The kind is part of the text: an index of one kind serves no statement that learns it with its values.
  const text = `select ${COLUMNS}, ${ERASED} from (
      select r.*, sum(octet_length(r.body)) over (order by r.id desc rows unbounded preceding) - octet_length(r.body) as before
      from (select * from record r where r.tenant = $1 and r.kind = '${kind}' and r.id >= $2 and r.id < $3
        and ($4::uuid is null or r.session = $4) order by r.id desc limit $5) r
    ) r where r.before < $6 order by r.id desc`;
  const values = [tenant, fromId, beforeId, session ?? null, recordsMax, bytesMax];
  const { rows } = await from.query<Row>({ name: `ledger-${kind}s`, text, values, rowMode: "array" });
  const bytes = rows.reduce((sum, [, , , , , , , body]) => sum + body.length, 0);
  return { records: rows.map(listedRecord), more: rows.length === recordsMax || bytes >= bytesMax };
}

export async function withAsides(
  from: Pool,
  tenant: string,
  records: readonly ListedRecord[],
): Promise<StoredRecord[]> {
  const ids = records.filter(({ asideBytes }) => asideBytes > 0).map(({ id }) => id);
  if (ids.length === 0) return [...records];
  const text = `select r.id, r.aside, ${ERASED} from record r where r.id = any($1) and r.tenant = $2`;
  const values = [uuidArray(ids), tenant];
  const query = { name: "ledger-asides", text, values, rowMode: "array" } as const;
  const { rows } = await from.query<[string, Buffer, boolean]>(query);
  const found = new Map(rows.map(([id, aside, erased]) => [id, { aside, erased }]));
  return records.flatMap((record): StoredRecord[] => {
    if (record.asideBytes === 0) return [record];
    const beside = found.get(record.id);
    if (!beside) return [];
    if (beside.erased) return [{ ...record, body: new Uint8Array(0), erased: true }];
    return [{ ...record, aside: beside.aside }];
  });
}
