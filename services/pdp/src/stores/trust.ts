import type { Pool } from "pg";
import type { Binding, Issuer, Loaded, Role, Trust } from "../identities/index.ts";

export interface IssuerRow {
  readonly name: string;
  readonly profile: Issuer["profile"];
  readonly use: Issuer["use"];
  readonly issuer: string;
  readonly audiences: string[];
  readonly jwks_uri: string | null;
  readonly jwks: Record<string, unknown> | null;
  readonly algorithms: string[];
  readonly claims: Issuer["claims"];
  readonly token_seconds_max: number;
  readonly session_seconds_max: number;
  readonly principal_prefix: string;
}

export interface BindingRow {
  readonly name: string;
  readonly issuer: string;
  readonly subject: string | null;
  readonly caller_group: string | null;
  readonly agents: string[];
  readonly may_assert_principals: boolean;
  readonly roles: Role[];
}

export function issuerFrom(tenant: string, row: IssuerRow): Issuer {
  const { name, profile, use, issuer, audiences, algorithms, claims } = row;
  return {
    ...{ tenant, name, profile, use, issuer, audiences, algorithms, claims },
    jwksUri: row.jwks_uri ?? undefined,
    jwks: row.jwks ?? undefined,
    tokenSecondsMax: row.token_seconds_max,
    sessionSecondsMax: row.session_seconds_max,
    principalPrefix: row.principal_prefix,
  };
}

export function bindingFrom(row: BindingRow): Binding {
  const { name, issuer, subject, caller_group: group, agents, roles } = row;
  const match = { issuer, subject: subject ?? undefined, group: group ?? undefined };
  return { name, ...match, agents, mayAssertPrincipals: row.may_assert_principals, roles };
}

// One statement, so that all of it is of one moment, the revision too.
const TRUST = `select coalesce((select r.security from revision r where r.tenant = $1), 0)::text as security,
  (select coalesce(jsonb_agg(to_jsonb(i) || jsonb_build_object('audiences',
      (select coalesce(jsonb_agg(a.audience order by a.audience), '[]') from issuer_audience a
        where a.tenant = i.tenant and a.name = i.name)) order by i.name), '[]')
     from issuer i where i.tenant = $1) as issuers,
  (select coalesce(jsonb_agg(to_jsonb(b) order by b.name), '[]') from binding b where b.tenant = $1) as bindings`;

/** What a tenant says of who is to be believed, and the security revision that held when it was read. */
export async function readTrust(pool: Pool, tenant: string): Promise<Loaded<Trust>> {
  const { rows } = await pool.query<{ security: string; issuers: IssuerRow[]; bindings: BindingRow[] }>({
    ...{ name: "trust", text: TRUST, values: [tenant] },
  });
  const { security = "0", issuers = [], bindings = [] } = rows[0] ?? {};
  const row = { tenant, issuers: issuers.map((one) => issuerFrom(tenant, one)), bindings: bindings.map(bindingFrom) };
  return { row, security: BigInt(security) };
}
