import type { Pool } from "pg";
import type { CustodyStore } from "../decisions/index.ts";
import type { IdentityStore } from "../identities/index.ts";

interface ListedRow {
  readonly kid: string;
  readonly wrapped_by: string;
  readonly created_at: Date;
  readonly retired_at: Date | null;
}

interface DataKeyRow {
  readonly id: string;
  readonly tenant: string;
  readonly wrapped: Buffer;
  readonly wrapped_by: string;
}

/** What custody reads, and the blanking of rows, over Postgres. */
export function createCustodyStore(pool: Pool, identities: IdentityStore): CustodyStore {
  return {
    signingKeys: () => identities.signingKeys(),
    async listSigningKeys() {
      const text = "select kid, wrapped_by, created_at, retired_at from signing_key order by created_at desc, kid";
      return (await pool.query<ListedRow>(text)).rows.map((row) => ({
        kid: row.kid,
        wrappedBy: row.wrapped_by,
        createdAtMs: row.created_at.getTime(),
        retiredAtMs: row.retired_at?.getTime() ?? null,
      }));
    },
    async dataKeysNotBy(wrappingKey, keysMax) {
      const text = `select id, tenant, wrapped, wrapped_by from data_key
        where destroyed_at is null and wrapped_by <> $1 order by id limit $2`;
      const { rows } = await pool.query<DataKeyRow>(text, [wrappingKey, keysMax]);
      return rows.map(({ id, tenant, wrapped, wrapped_by: wrappedBy }) => ({ id, tenant, wrapped, wrappedBy }));
    },
    async wrappingKeysInUse() {
      const text = `select wrapped_by from signing_key where retired_at is null
        union select wrapped_by from data_key where destroyed_at is null order by 1`;
      return (await pool.query<{ wrapped_by: string }>(text)).rows.map((row) => row.wrapped_by);
    },
    async eraseRows(tenant, rowsMax) {
      const { rows } = await pool.query("select remit_erase_rows($1, $2)::int as touched", [tenant, rowsMax]);
      return rows[0]?.touched ?? 0;
    },
  };
}
