import { create, toBinary } from "@bufbuild/protobuf";
import { PutIssuerRequestSchema } from "@remit/proto/admin";
import { canonical } from "../../services/pdp/src/foundation/canonical.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { comparedFirst, stillBoundTo } from "../../services/pdp/src/identities/caller.ts";
import { checkIssuer, createIssuerKeys } from "../../services/pdp/src/identities/index.ts";
import { type Binding, metBy } from "../../services/pdp/src/identities/trust.ts";
import { createIdentityStore } from "../../services/pdp/src/stores/identities.ts";
import { issuerFrom } from "../../services/pdp/src/wire/convert/issuer.ts";
import { decodeBinary } from "../../services/pdp/src/wire/lanes/decode.ts";
import { type Case, many } from "./catalogue.ts";
import { stored } from "./stored.ts";
import { likeCompiling } from "./turns.ts";

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

/** Keys of 256 KB: as many as there may be; as many values as there may be; and as earlier builds took them. */
const keysOf = (count: number, chars: number) =>
  `(select jsonb_build_object('keys', jsonb_agg(jsonb_build_object('kid', 'k' || n, 'kty', 'RSA', 'e', 'AQAB',
    'n', repeat('q', ${chars})))) from generate_series(1, ${count}) n)`;
const VALUES = `(select jsonb_build_object('keys', '[]'::jsonb, 'more', jsonb_agg(repeat('x', 60)))
  from generate_series(1, ${limits.issuerDocumentValuesMax - 3}) n)`;
const BEFORE = `(select jsonb_build_object('keys', '[]'::jsonb, 'more', jsonb_agg(n % 10)) from generate_series(1, 80000) n)`;

const loading = (name: string, keys: string, agents: number): Case => ({
  name: `trust: loading ${limits.issuersMax} issuers and ${limits.bindingsMax} bindings, ${name}`,
  make: () =>
    likeCompiling(
      stored([ISSUERS(keys), AUDIENCES, BINDINGS(agents)], createIdentityStore, (store, tenant) => store.trust(tenant)),
    ),
});
const agentsEach = limits.bindingAgentsMax / limits.bindingsMax;

const unchanged: Case = {
  name: "trust: looking whether it has changed",
  make: () => {
    const fill = [ISSUERS(keysOf(1, 500)), AUDIENCES, BINDINGS(agentsEach)];
    return stored(
      fill,
      (pool) => ({ store: createIdentityStore(pool), known: new Map() }),
      async ({ store, known }, tenant) => {
        // The first time it is loaded.
        const { row } = await store.trust(tenant, known.get(tenant));
        known.set(tenant, row);
        return store.trust(tenant, row);
      },
    );
  },
};

const bindingAt = (at: number, more: Partial<Binding>): Binding => ({
  ...{ name: `b${at}`, issuer: "idp", subject: undefined, group: undefined, agents: [`agent-${at}-*`] },
  ...{ mayAssertPrincipals: false, roles: ["viewer"] as const },
  ...more,
});
const evidence = { tenant: "t", kind: "jwt", source: "idp", issuer: "https://idp", expiresAtMs: 1 } as const;
const matching = (name: string, binding: (at: number) => Partial<Binding>, groups: readonly string[]): Case => ({
  name: `trust: what a caller meets of ${limits.bindingsMax} bindings, ${name}`,
  make: () => {
    const bindings = many(limits.bindingsMax, (at) => bindingAt(at, binding(at)));
    return (pause) => metBy({ bindings }, { ...evidence, subject: "a".repeat(limits.subjectBytesMax), groups }, pause);
  },
});
const longGroup = (at: number) => `${"g".repeat(limits.subjectBytesMax - 5)}${String(at).padStart(5, "0")}`;

const bound: Case = {
  name: `callers: whether one with ${limits.bindingAgentsMax} agents of many stars is bound to nine agents in a chain`,
  make: () => {
    const agents = many(limits.bindingAgentsMax, (at) => `${"*a".repeat(97)}${at}*`);
    const caller = { agents, proof: {} as never };
    const session = { agent: "a".repeat(199), ancestors: many(8, (at) => ({ agent: `${"a".repeat(198)}${at}` })) };
    return async () => {
      await comparedFirst(caller, session);
      return stillBoundTo(caller, session);
    };
  },
};

const documentOf = (keys: number, chars: number) =>
  JSON.stringify({ keys: many(keys, (at) => ({ kid: `k${at}`, kty: "RSA", e: "AQAB", n: "q".repeat(chars) })) });
const ofValues = () =>
  JSON.stringify({ keys: [], more: many(limits.issuerDocumentValuesMax - 3, () => "x".repeat(60)) });
const issuer = (jwks: string) => ({
  ...{ name: "idp", profile: "oidc", use: "workloads", issuer: "https://idp.example", audiences: ["remit:t"] },
  keys: { case: "jwks", value: jwks } as const,
});

const documents = (["100 keys", "4,000 values"] as const).flatMap((name): Case[] => {
  const text = () => (name === "100 keys" ? documentOf(limits.jwksKeysMax, 2_550) : ofValues());
  return [
    {
      name: `issuers: taking over a document of 256 KB, ${name}`,
      make: () => {
        const document = text();
        const clock = { now: () => 1 };
        const keys = createIssuerKeys({ fetchText: async () => document, clock, log: { warn: () => {} } as never });
        const of = { ...issuer(""), tenant: "t", jwksUri: "https://idp.example/keys", jwks: undefined };
        return () => keys.of(of as never).refresh();
      },
    },
    {
      name: `issuers: putting one with keys of 256 KB, ${name}`,
      make: () => {
        const request = create(PutIssuerRequestSchema, { issuer: issuer(text()) });
        const bytes = toBinary(PutIssuerRequestSchema, request);
        return async (pause) => {
          const read = decodeBinary(PutIssuerRequestSchema, bytes) as typeof request;
          const put = read.issuer && issuerFrom("t", read.issuer);
          // The tenant's trust is asked for.
          await pause();
          if (put) checkIssuer(put, { issuers: [] }, false);
          // It is compared with what is there, and then recorded.
          canonical(put as never);
          await pause();
          return canonical(put as never);
        };
      },
    },
  ];
});

/** Whom a tenant believes, at its limits. */
export const believed: readonly Case[] = [
  loading("100 keys each", keysOf(limits.jwksKeysMax, 2_500), agentsEach),
  loading("4,000 values each", VALUES, agentsEach),
  loading("80,000 values and 256 agents each, as earlier builds took them", BEFORE, limits.scopeEntriesMax),
  unchanged,
  matching("by globs of many stars", () => ({ subject: "*a".repeat(255) }), []),
  matching(
    "by groups that look alike",
    (at) => ({ group: longGroup(at) }),
    many(limits.tokenGroupsMax, (at) => longGroup(at + 5_000)),
  ),
  matching("all of them", () => ({ subject: "**" }), []),
  bound,
  ...documents,
];
