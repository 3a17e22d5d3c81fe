import { randomBytes, randomUUID } from "node:crypto";
import type { Pool } from "pg";
import { limits } from "../../src/foundation/limits.ts";
import { silentLog } from "../../src/foundation/log.ts";
import { createLedger, idempotencyKey, type Ledger, type NewRecord } from "../../src/ledger/index.ts";
import { openPool } from "../../src/stores/database.ts";
import { createLedgerStore } from "../../src/stores/ledger.ts";
import { type TestDatabase, withClient } from "../support/test-database.ts";

export const TENANT = "acme";
export const SESSION = "01900000-0000-7000-8000-000000000001";
const DAY = "2026-11-21";

/** A record with an id and a key of its own; what a test cares about is given. */
export function newRecord(own: Partial<NewRecord> = {}): NewRecord {
  const id = own.id ?? randomUUID();
  return {
    id,
    tenant: TENANT,
    session: SESSION,
    sessionDay: DAY,
    key: idempotencyKey("decision", id, 1),
    request: Buffer.alloc(32, 1),
    kind: "decision",
    securityRevision: 0n,
    digest: randomBytes(32),
    body: Buffer.from(JSON.stringify({ id })),
    ...own,
  };
}

/** The tenant that records belong to. */
export async function insertTenant({ ownerUrl }: Pick<TestDatabase, "ownerUrl">): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    await client.query("insert into tenant (id) values ($1)", [TENANT]);
    await client.query("insert into revision (tenant) values ($1)", [TENANT]);
  });
}

// Longer than any machine is slow.
const WAIT_MS_MAX = 20_000;

export interface OpenLedger {
  readonly ledger: Ledger;
  readonly replica: string;
  close(): Promise<void>;
}

/** A ledger over Postgres as the runtime role, started. */
export async function openLedger(url: string, { writers = 2, readUrl = url } = {}): Promise<OpenLedger> {
  const pool: Pool = openPool({ url: readUrl, name: "remit-test-reads", log: silentLog });
  const replica = randomUUID();
  const store = createLedgerStore({ url, pool, log: silentLog, replica, host: "test" });
  const ledger = createLedger({ store, writers, limits: { ...limits, recordWaitMsMax: WAIT_MS_MAX }, log: silentLog });
  await ledger.start();
  const close = async () => {
    await ledger.close();
    await pool.end();
  };
  return { ledger, replica, close };
}

/** The backends of living writers that wait for a lock. */
export async function writersBlocked({ superuserUrl }: TestDatabase): Promise<number> {
  return withClient(superuserUrl, async (client) => {
    const text = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      and application_name like 'remit-writer-%'`;
    return (await client.query(text)).rowCount ?? 0;
  });
}

export interface RowRead {
  readonly writer: string;
  readonly n: string;
  readonly ord: string;
  readonly id: string;
  readonly key: Buffer | null;
}

/** Every record, with the key of its call. */
export async function readRows({ ownerUrl }: TestDatabase): Promise<RowRead[]> {
  return withClient(ownerUrl, async (client) => {
    const text = `select r.writer, r.n, r.ord, r.id, c.key from record r left join call c on c.id = r.id
      order by r.writer, r.n`;
    return (await client.query<RowRead>(text)).rows;
  });
}

/** Whether the numbers of every writer are 1, 2, 3 and so on, each once. */
export function numbersWithoutGaps(rows: readonly RowRead[]): boolean {
  const next = new Map<string, bigint>();
  return rows.every(({ writer, n }) => {
    const expected = (next.get(writer) ?? 0n) + 1n;
    next.set(writer, expected);
    return BigInt(n) === expected;
  });
}
