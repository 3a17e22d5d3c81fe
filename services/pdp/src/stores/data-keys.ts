import type { Pool } from "pg";
import type { DataKeyStore, StoredDataKey } from "../ledger/index.ts";

interface Row {
  readonly id: string | null;
  readonly tenant: string;
  readonly wrapped: Buffer | null;
  readonly wrapped_by: string;
  readonly security: string;
}

// One row whether there is a key or not, with the tenant's revision of the same snapshot.
const FOUND = `select k.id, asked.tenant, k.wrapped, k.wrapped_by, coalesce(r.security, 0)::text as security
  from (select $1::text as tenant) asked
  left join data_key k on k.tenant = asked.tenant left join revision r on r.tenant = asked.tenant`;

function keyFrom({ id, tenant, wrapped, wrapped_by: wrappedBy }: Row): StoredDataKey | null {
  return id === null ? null : { id, tenant, wrapped, wrappedBy };
}

/** The tenants' data keys in Postgres. */
export function createDataKeyStore(pool: Pool): DataKeyStore {
  const find = async (tenant: string) => {
    const { rows } = await pool.query<Row>({ name: "data-key", text: FOUND, values: [tenant] });
    const row = rows[0];
    return { key: row ? keyFrom(row) : null, security: BigInt(row?.security ?? 0) };
  };
  return {
    dataKey: find,
    async addDataKey({ id, tenant, wrapped, wrappedBy }) {
      await pool.query(
        "insert into data_key (id, tenant, wrapped, wrapped_by) values ($1, $2, $3, $4) on conflict (tenant) do nothing",
        [id, tenant, Buffer.from(wrapped), wrappedBy],
      );
      return find(tenant);
    },
  };
}
