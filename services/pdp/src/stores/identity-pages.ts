import type { Pool } from "pg";
import type { IdentityPages } from "../identities/index.ts";
import { documentRows } from "./document-rows.ts";
import { type CallerRow, callerFrom } from "./identities.ts";
import { type BindingRow, bindingFrom, type IssuerRow, issuerFrom } from "./trust.ts";

const CALLERS = `select * from caller where tenant = $1 and ($2::uuid is null or id > $2) order by id limit $3`;
const ISSUERS = `select i.*, array(select a.audience from issuer_audience a
      where a.tenant = i.tenant and a.name = i.name order by a.audience) as audiences
  from issuer i where i.tenant = $1 and ($2::text is null or i.name > $2) order by i.name limit $3`;
const BINDINGS = `select * from binding where tenant = $1 and ($2::text is null or name > $2) order by name limit $3`;

/** Pages of who there is, read from Postgres. */
export function createIdentityPages(pool: Pool): IdentityPages {
  return {
    async callers(tenant, after, most) {
      return (await pool.query<CallerRow>(CALLERS, [tenant, after ?? null, most])).rows.map(callerFrom);
    },
    async issuers(tenant, after, most) {
      const rows = await documentRows<IssuerRow>(pool, ISSUERS, [tenant, after ?? null, most]);
      return rows.map((row) => issuerFrom(tenant, row));
    },
    async bindings(tenant, after, most) {
      return (await pool.query<BindingRow>(BINDINGS, [tenant, after ?? null, most])).rows.map(bindingFrom);
    },
  };
}
