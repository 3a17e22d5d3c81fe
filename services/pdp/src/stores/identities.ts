import type { Scope } from "@remit/engine";
import type { Pool } from "pg";
import { assert } from "../foundation/assert.ts";
import { mapInSlices, type Pause } from "../foundation/in-slices.ts";
import { createInterned } from "../foundation/interned.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import {
  type Act,
  type Caller,
  type Evidence,
  FIRST_TENANT,
  type IdentityStore,
  type Link,
  type Role,
  type Session,
  type SessionState,
  type StoredSigningKey,
} from "../identities/index.ts";
import { withTransaction } from "./database.ts";
import { documentRows } from "./document-rows.ts";
import { insertSigningKey, LOCK_SIGNING_KEYS } from "./key-changes.ts";
import { createTrustReader } from "./trust.ts";

// One statement, so that whose it is and at which revision are of one moment.
const TENANT_OF_WORKLOAD = `select o.tenant,
    coalesce((select r.security from revision r where r.tenant = o.tenant), 0)::text as security
  from (select coalesce((select t.id from tenant t, unnest(t.workload_prefixes) p
      where t.workload_prefixes && $1::text[] and p = any ($1::text[]) order by length(p) desc limit 1), $2) as tenant) o`;

export interface CallerRow {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly roles: Role[];
  readonly agents: string[];
  readonly may_assert_principals: boolean;
  readonly revoked: boolean;
  readonly created_at: Date;
  readonly kind: Evidence["kind"] | "key";
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly created_by: string | null;
}

export function callerFrom(row: CallerRow): Caller {
  const { id, tenant, name, roles, agents, revoked, kind, issuer, subject } = row;
  const rights = { roles, agents, mayAssertPrincipals: row.may_assert_principals };
  const proof = kind === "key" ? undefined : { kind, issuer: issuer ?? "", subject: subject ?? "" };
  const person = kind === "person" && { person: { displayName: row.display_name ?? "", email: row.email ?? "" } };
  const made = { createdAtMs: row.created_at.getTime(), ...(row.created_by !== null && { createdBy: row.created_by }) };
  return { id, tenant, name, ...rights, revoked, ...made, ...(proof && { proof }), ...person };
}

interface SessionRow {
  readonly id: string;
  readonly tenant: string;
  readonly agent: string;
  readonly principal_id: string;
  readonly principal_verified: boolean;
  readonly principal_labels: Record<string, string>;
  readonly purpose: string;
  readonly scope: Scope | null;
  readonly labels: Record<string, string>;
  readonly run_id: string | null;
  readonly state: SessionState;
  readonly parent: string | null;
  readonly depth: number;
  readonly opened_at: Date;
  readonly expires_at: Date;
  readonly opened_by: string;
  readonly details: Record<string, string>;
  readonly principal_issuer: string | null;
  readonly act: Act | null;
  readonly above: readonly LinkRow[] | null;
  readonly given: readonly GivenRow[] | null;
}

interface LinkRow {
  readonly id: string;
  readonly agent: string;
  readonly scope: Scope | null;
  readonly labels: Record<string, string>;
  readonly state: SessionState;
  readonly expires_ms: number;
  readonly given: readonly GivenRow[] | null;
}

interface GivenRow {
  readonly account: string;
  readonly unit: string;
  readonly limit: string;
}

// What a session was given when it was delegated; what is opened has nothing of its own.
const givenTo = (session: string) => `(select json_agg(json_build_object('account', a.id::text, 'unit', a.unit,
    'limit', a.own_limit::text) order by a.unit)
  from account a where a.session = ${session}.id and a.tenant = ${session}.tenant and a.budget is null)`;

// The sessions above, the root first, of the same snapshot as the session itself. Few are delegated: the others pay for
// none of it. A parent of another tenant is no parent, and its absence is found out below.
const ABOVE = `case when t.parent is not null then (
    with recursive above as (
      select p.* from session p where p.tenant = t.tenant and p.id = t.parent
      union all
      select p.* from above a join session p on p.tenant = a.tenant and p.id = a.parent and p.depth < a.depth
    )
    select json_agg(json_build_object('id', id, 'agent', agent, 'scope', scope, 'labels', labels, 'state', state,
        'expires_ms', floor(extract(epoch from expires_at) * 1000), 'given', ${givenTo("above")}) order by depth)
      from above
  ) end as above, case when t.parent is not null then ${givenTo("t")} end as given`;

const givenFrom = (rows: readonly GivenRow[] | null): Pick<Link, "given"> =>
  rows === null
    ? {}
    : { given: rows.map(({ account, unit, limit }) => ({ account: BigInt(account), unit, limit: BigInt(limit) })) };

// A replica keeps up to 100,000 sessions: what most of them have in common is in memory once.
const interned = createInterned(10_000);
const NOTHING: Readonly<Record<string, string>> = Object.freeze({});
const some = (labels: Readonly<Record<string, string>>) => (Object.keys(labels).length === 0 ? NOTHING : labels);

function linkFrom({ id, agent, scope, labels, state, expires_ms: expiresAtMs, given }: LinkRow): Link {
  const bound = { agent: interned(agent), scope: scope ?? undefined, labels: some(labels) };
  return { id, ...bound, state, expiresAtMs, ...givenFrom(given) };
}

const NO_ANCESTORS: readonly Link[] = [];

function sessionFrom(row: SessionRow): Session {
  const { id, state, depth, above } = row;
  const ancestors = above?.map(linkFrom) ?? NO_ANCESTORS;
  // A chain with a link missing would be bound by too little.
  assert(ancestors.length === depth, "a session's ancestors are as many as its depth");
  return {
    id,
    tenant: interned(row.tenant),
    agent: interned(row.agent),
    principal: { id: row.principal_id, verified: row.principal_verified, labels: some(row.principal_labels) },
    ...(row.principal_issuer !== null && { principalIssuer: row.principal_issuer }),
    ...(row.act !== null && { act: row.act }),
    purpose: row.purpose,
    scope: row.scope ?? undefined,
    labels: some(row.labels),
    runId: row.run_id ?? undefined,
    state,
    parent: row.parent ?? undefined,
    ancestors,
    depth,
    openedAtMs: row.opened_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    openedBy: interned(row.opened_by),
    details: some(row.details),
    ...givenFrom(row.given),
  };
}

interface SigningKeyRow {
  readonly kid: string;
  readonly public_jwk: Record<string, string>;
  readonly wrapped_private: Buffer;
  readonly wrapped_by: string;
  readonly created_at: Date;
}

const LIVING_KEYS = "select * from signing_key where retired_at is null order by created_at desc, kid";

function keyFrom(row: SigningKeyRow): StoredSigningKey {
  const { kid, public_jwk: publicJwk, wrapped_private: wrappedPrivate, wrapped_by: wrappedBy } = row;
  return { kid, publicJwk, wrappedPrivate, wrappedBy, createdAtMs: row.created_at.getTime() };
}

// The revision is read in the same statement as its row: one snapshot, so the row is at least that new.
const SECURITY = "(select r.security from revision r where r.tenant = t.tenant)::text as security";

// The signing keys that live, of the same snapshot too.
const SIGNERS =
  "(select string_agg(k.kid, ' ' order by k.kid) from signing_key k where k.retired_at is null) as signers";

/** One list for all sessions that were read between two rotations. */
function createSigners(): (names: string | null) => readonly string[] {
  let last = "";
  let list: readonly string[] = [];
  return (names) => {
    if (names === last) return list;
    last = names ?? "";
    list = last.split(" ");
    return list;
  };
}

/** One number for all rows that were read between two changes. */
function createRevisions(): (text: string) => bigint {
  let last = { text: "0", revision: 0n };
  return (text) => {
    if (text !== last.text) last = { text, revision: BigInt(text) };
    return last.revision;
  };
}

/** Who there is, read from Postgres. `pause`: between slices of whom a tenant believes. */
export function createIdentityStore(pool: Pool, pause?: Pause): IdentityStore {
  const signersOf = createSigners();
  const revisionOf = createRevisions();
  const loaded = async <Row>(text: string, values: unknown[], name: string) => {
    const { rows } = await pool.query<Row & { security: string }>({ name, text, values });
    const row = rows[0];
    return row ? { row: row as Row, security: revisionOf(row.security) } : null;
  };
  return {
    async callerByKeyHash(hash) {
      const text = `select t.*, ${SECURITY} from caller t where t.key_hash = $1`;
      const found = await loaded<CallerRow>(text, [Buffer.from(hash)], "caller_by_key");
      return found && { ...found, row: callerFrom(found.row) };
    },
    async callerBySubject(tenant, kind, issuer, subject) {
      const text = `select t.*, ${SECURITY} from caller t
        where t.tenant = $1 and t.kind = $2 and t.issuer = $3 and t.subject = $4 and t.kind <> 'key'`;
      const found = await loaded<CallerRow>(text, [tenant, kind, issuer, subject], "caller_by_subject");
      return found && { ...found, row: callerFrom(found.row) };
    },
    async issuersOf(issuers, audiences) {
      const text = `select distinct tenant, name from issuer_audience
        where issuer = any($1) and audience = any($2) limit 2`;
      const values = [issuers, audiences];
      return (await pool.query<{ tenant: string; name: string }>({ name: "issuers_of", text, values })).rows;
    },
    async tenantOfWorkload(prefixes) {
      const { rows } = await pool.query<{ tenant: string; security: string }>({
        ...{ name: "tenant_of_workload", text: TENANT_OF_WORKLOAD, values: [prefixes, FIRST_TENANT] },
      });
      const { tenant = FIRST_TENANT, security = "0" } = rows[0] ?? {};
      return { row: { tenant }, security: BigInt(security) };
    },
    trust: createTrustReader(pool, pause),
    async callers(tenant) {
      const text = "select * from caller where tenant = $1 order by created_at, id";
      return mapInSlices(await documentRows<CallerRow>(pool, text, [tenant]), turnOfTheLoop, callerFrom);
    },
    async session(tenant, id) {
      const text = `select t.*, ${SECURITY}, ${SIGNERS}, ${ABOVE} from session t where t.tenant = $1 and t.id = $2`;
      const found = await loaded<SessionRow & { signers: string }>(text, [tenant, id], "session_by_id");
      return found && { ...found, row: sessionFrom(found.row), signers: signersOf(found.row.signers) };
    },
    async sessionByRun(tenant, openedBy, agent, runId) {
      const text = `select t.*, ${ABOVE} from session t
         where t.tenant = $1 and t.opened_by = $2 and t.agent = $3 and t.run_id = $4`;
      const { rows } = await pool.query<SessionRow>(text, [tenant, openedBy, agent, runId]);
      return rows[0] ? sessionFrom(rows[0]) : null;
    },
    async signingKeys() {
      return (await pool.query<SigningKeyRow>(LIVING_KEYS)).rows.map(keyFrom);
    },
    async addFirstSigningKey(key) {
      return withTransaction(pool, "read committed", async (client) => {
        // Replicas that start together on an empty store agree on one key.
        await client.query(LOCK_SIGNING_KEYS);
        const { rows } = await client.query<SigningKeyRow>(LIVING_KEYS);
        if (rows.length === 0) await insertSigningKey(client, key);
        return (await client.query<SigningKeyRow>(LIVING_KEYS)).rows.map(keyFrom);
      });
    },
  };
}
