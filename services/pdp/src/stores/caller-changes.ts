import type { ClientBase } from "pg";
import type { Change } from "../decisions/index.ts";
import type { Binding, Caller, Issuer } from "../identities/index.ts";
import { Refusal, touched } from "./refusal.ts";

type CallerChange = Extract<
  Change,
  {
    kind:
      | "key_created"
      | "caller_sighted"
      | "key_revoked"
      | "issuer_put"
      | "issuers_deleted"
      | "binding_put"
      | "bindings_deleted";
  }
>;

/** A caller with a key. */
export async function insertCaller(
  client: ClientBase,
  caller: Caller,
  keyHash: Uint8Array,
  revision: bigint,
): Promise<void> {
  const { id, tenant, name, roles, agents, mayAssertPrincipals, createdAtMs, createdBy } = caller;
  const made = [new Date(createdAtMs), revision, createdBy ?? null];
  await client.query(
    `insert into caller (id, tenant, name, key_hash, roles, agents, may_assert_principals, created_at, revision, created_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [id, tenant, name, Buffer.from(keyHash), roles, agents, mayAssertPrincipals, ...made],
  );
}

/** A caller without a key and without rights of its own. */
async function insertSighted(client: ClientBase, caller: Caller, revision: bigint): Promise<void> {
  const { id, tenant, name, proof, person, createdAtMs } = caller;
  await client.query(
    `insert into caller (id, tenant, name, kind, issuer, subject, created_at, revision, display_name, email)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      ...[id, tenant, name, proof?.kind ?? "key", proof?.issuer, proof?.subject, new Date(createdAtMs), revision],
      ...[person?.displayName || null, person?.email || null],
    ],
  );
}

async function putIssuer(client: ClientBase, tenant: string, issuer: Issuer, revision: bigint): Promise<void> {
  const { name, profile, use, jwksUri, jwks, algorithms, claims, audiences } = issuer;
  const { tokenSecondsMax, sessionSecondsMax, principalPrefix } = issuer;
  await client.query(
    `insert into issuer (tenant, name, profile, use, issuer, jwks_uri, jwks, algorithms, claims, token_seconds_max,
                         session_seconds_max, principal_prefix, revision)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     on conflict (tenant, name) do update set profile = excluded.profile, use = excluded.use, issuer = excluded.issuer,
       jwks_uri = excluded.jwks_uri, jwks = excluded.jwks, algorithms = excluded.algorithms, claims = excluded.claims,
       token_seconds_max = excluded.token_seconds_max, session_seconds_max = excluded.session_seconds_max,
       principal_prefix = excluded.principal_prefix, revision = excluded.revision`,
    [
      ...[tenant, name, profile, use, issuer.issuer, jwksUri ?? null, jwks ? JSON.stringify(jwks) : null, algorithms],
      ...[JSON.stringify(claims), tokenSecondsMax, sessionSecondsMax, principalPrefix, revision],
    ],
  );
  // What stays is left alone: a new row is a new trust.
  const of = [issuer.issuer, audiences, tenant, name];
  await client.query(
    `delete from issuer_audience
      where tenant = $3 and name = $4 and not (issuer = $1 and audience = any($2::text[]))`,
    of,
  );
  await client.query(
    `insert into issuer_audience (issuer, audience, tenant, name)
     select $1, u.audience, $3, $4 from unnest($2::text[]) as u (audience)
      where not exists (select from issuer_audience a
        where a.issuer = $1 and a.audience = u.audience and a.tenant = $3 and a.name = $4)`,
    of,
  );
}

async function putBinding(client: ClientBase, tenant: string, binding: Binding, revision: bigint): Promise<void> {
  const { name, issuer, subject, group, agents, mayAssertPrincipals, roles } = binding;
  await client.query(
    `insert into binding (tenant, name, issuer, subject, caller_group, agents, may_assert_principals, roles, revision)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant, name) do update set issuer = excluded.issuer, subject = excluded.subject,
       caller_group = excluded.caller_group, agents = excluded.agents,
       may_assert_principals = excluded.may_assert_principals, roles = excluded.roles, revision = excluded.revision`,
    [tenant, name, issuer, subject ?? null, group ?? null, agents, mayAssertPrincipals, roles, revision],
  );
}

/** Changes who may call: those with keys, and whom a tenant believes of all others and what that gives. */
export async function changeCallers(
  client: ClientBase,
  tenant: string,
  change: CallerChange,
  revision: bigint,
): Promise<void> {
  switch (change.kind) {
    case "key_created":
      return insertCaller(client, change.caller, change.keyHash, revision);
    case "caller_sighted":
      return insertSighted(client, change.caller, revision);
    case "key_revoked":
      return touched(client, "update caller set revoked = true, revision = $3 where tenant = $1 and id = $2", [
        ...[tenant, change.callerId, revision],
      ]);
    case "issuer_put":
      return putIssuer(client, tenant, change.issuer, revision);
    case "binding_put":
      return putBinding(client, tenant, change.binding, revision);
    default: {
      const table = change.kind === "issuers_deleted" ? "issuer" : "binding";
      const names = [...new Set(change.names)];
      const { rowCount } = await client.query(`delete from ${table} where tenant = $1 and name = any($2)`, [
        ...[tenant, names],
      ]);
      if (rowCount !== names.length) throw new Refusal("missing");
    }
  }
}
