import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { createIdentityStore } from "../../services/pdp/src/stores/identities.ts";
import type { Case } from "./catalogue.ts";
import { stored } from "./stored.ts";

const ISSUERS = (keys: string) => `insert into issuer (tenant, name, profile, use, issuer, jwks, algorithms, claims,
    token_seconds_max, session_seconds_max, revision)
  select 't', 'issuer-' || i, 'oidc', 'workloads', 'https://issuer-' || i || '.example', ${keys},
    '{RS256,ES256}', '{}', 3600, 3600, 1 from generate_series(1, ${limits.issuersMax}) i`;
const AUDIENCES = `insert into issuer_audience (issuer, audience, tenant, name)
  select 'https://issuer-' || i || '.example', rpad('a' || n, ${limits.subjectBytesMax}, 'x'), 't', 'issuer-' || i
    from generate_series(1, ${limits.issuersMax}) i, generate_series(1, ${limits.issuerAudiencesMax}) n`;
const BINDINGS = (
  agents: number,
) => `insert into binding (tenant, name, issuer, subject, caller_group, agents, roles, revision)
  select 't', 'binding-' || i, 'issuer-1', rpad('s' || i || '*', ${limits.subjectBytesMax}, 'x'),
    rpad('g' || i, ${limits.subjectBytesMax}, 'x'),
    (select array_agg(rpad('agent-' || i || '-' || n, ${limits.nameBytesMax}, 'x')) from generate_series(1, ${agents}) n),
    '{viewer}', 1 from generate_series(1, ${limits.bindingsMax}) i`;

/** Keys of 256 KB: as many as there may be; one that is long; many small values that are no keys. */
const KEYS: Readonly<Record<string, string>> = {
  "100 keys": `(select jsonb_build_object('keys', jsonb_agg(jsonb_build_object('kid', 'k' || n, 'kty', 'RSA', 'e', 'AQAB',
      'n', repeat('q', 2500)))) from generate_series(1, 100) n)`,
  "80,000 values": `(select jsonb_build_object('keys', '[]'::jsonb, 'more', jsonb_agg(n % 10)) from generate_series(1, 80000) n)`,
};

const trusting = (name: string, keys: string): Case => ({
  name: `trust: loading ${limits.issuersMax} issuers of ${name} and ${limits.bindingsMax} bindings of ${limits.scopeEntriesMax} agents`,
  make: () =>
    stored([ISSUERS(keys), AUDIENCES, BINDINGS(limits.scopeEntriesMax)], createIdentityStore, (store, tenant) =>
      store.trust(tenant),
    ),
});

/** Whom a tenant believes, at its limits. */
export const believed: readonly Case[] = Object.entries(KEYS).map(([name, keys]) => trusting(name, keys));
