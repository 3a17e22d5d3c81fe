import type { Pool } from "pg";
import { assert } from "../foundation/assert.ts";
import { eachInSlices, type Pause } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Binding, IdentityStore, Issuer, Role, Trust } from "../identities/index.ts";
import { unparsedRows } from "./document-rows.ts";
import { sumOfRows } from "./fingerprint.ts";

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

// What the rows are, in a few numbers: as in `fingerprint.ts`, whatever writes a row makes it another.
const PRINT = [
  sumOfRows("r.name, r.revision, r.xmin", "issuer r where r.tenant = $1"),
  sumOfRows("r.issuer, r.audience, r.name, r.xmin", "issuer_audience r where r.tenant = $1"),
  sumOfRows("r.name, r.revision, r.xmin", "binding r where r.tenant = $1"),
].join(" || ' ' || ");

// One statement, so that all of it is of one moment, the revision too. Rows come one by one, and where nothing of them has
// changed, none.
const TRUST = `with held as materialized (
    select coalesce((select r.security from revision r where r.tenant = $1), 0)::text as security, ${PRINT} as print)
  select 'revision' as what, security, print, null::jsonb as document from held
  union all select 'issuer', null, hash_record_extended(row(i.name, i.revision, i.xmin,
      (select sum(hash_record_extended(row(a.issuer, a.audience, a.xmin), 0)) from issuer_audience a
        where a.tenant = i.tenant and a.name = i.name)), 0)::text, to_jsonb(i) || jsonb_build_object('audiences',
      (select coalesce(jsonb_agg(a.audience order by a.audience), '[]') from issuer_audience a
        where a.tenant = i.tenant and a.name = i.name))
    from held h join issuer i on i.tenant = $1 where h.print is distinct from $2
  union all select 'binding', null, null, to_jsonb(b)
    from held h join binding b on b.tenant = $1 where h.print is distinct from $2`;

type TrustRow =
  | { readonly what: "revision"; readonly security: string; readonly print: string }
  | { readonly what: "issuer"; readonly print: string; readonly document: IssuerRow }
  | { readonly what: "binding"; readonly document: BindingRow };

type IssuerPrinted = Extract<TrustRow, { what: "issuer" }>;

interface Named {
  readonly name: string;
}

// No two of a kind have one name.
const byName = (one: Named, other: Named) => (one.name < other.name ? -1 : 1);

/**
 * Reads what tenants say of who is to be believed, each with the security revision that held when it was read. Between
 * slices of it, which all stay in use, it awaits `pause`.
 */
export function createTrustReader(pool: Pool, pause: Pause = turnOfTheLoop): IdentityStore["trust"] {
  // What the rows were that something was made of.
  const prints = new WeakMap<Trust | Issuer, string>();
  // One that stays as it was stays the same: what is kept beside it goes on being good.
  const issuerOf = (tenant: string, { print, document }: IssuerPrinted, known: Issuer | undefined): Issuer => {
    if (known && prints.get(known) === print) return known;
    const issuer = issuerFrom(tenant, document);
    prints.set(issuer, print);
    return issuer;
  };
  return async (tenant, known) => {
    const before = known && prints.get(known);
    const read = await unparsedRows<TrustRow>(pool, TRUST, [tenant, before ?? null], "trust");
    let held: Extract<TrustRow, { what: "revision" }> | undefined;
    const [issuers, bindings]: [Issuer[], Binding[]] = [[], []];
    const knownIssuers = new Map(known?.issuers.map((issuer) => [issuer.name, issuer]));
    await eachInSlices(await read.parsed(pause), pause, (row) => {
      if (row.what === "revision") held = row;
      else if (row.what === "issuer") issuers.push(issuerOf(tenant, row, knownIssuers.get(row.document.name)));
      else bindings.push(bindingFrom(row.document));
    });
    assert(held, "a statement without conditions answers a row");
    const { security, print } = held;
    if (known && print === before) return { row: known, security: BigInt(security) };
    const row: Trust = { tenant, issuers: issuers.sort(byName), bindings: bindings.sort(byName) };
    prints.set(row, print);
    return { row, security: BigInt(security) };
  };
}
