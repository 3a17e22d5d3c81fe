import type { ClientBase } from "pg";
import type { KeyChange } from "../decisions/index.ts";
import { Fault } from "../foundation/fault.ts";
import type { StoredSigningKey } from "../identities/index.ts";
import { tenantErased } from "../ledger/index.ts";
import { Refusal, touched } from "./refusal.ts";

/** Replicas look for this number. */
const MOVE_KEYS = "update cell set keys_revision = keys_revision + 1";

/** Replicas that change the signing keys take turns. */
export const LOCK_SIGNING_KEYS = "select pg_advisory_xact_lock(hashtextextended('remit_signing_key', 0))";

/** Adds a signing key as the newest. */
export async function insertSigningKey(client: ClientBase, key: StoredSigningKey): Promise<void> {
  const { kid, publicJwk, wrappedPrivate, wrappedBy, createdAtMs } = key;
  await client.query(
    "insert into signing_key (kid, public_jwk, wrapped_private, wrapped_by, created_at) values ($1, $2, $3, $4, $5)",
    [kid, JSON.stringify(publicJwk), Buffer.from(wrappedPrivate), wrappedBy, new Date(createdAtMs)],
  );
}

/** A retired key signs nothing any more, so its private half is not kept. */
async function retire(client: ClientBase, kids: readonly string[]): Promise<void> {
  await client.query(
    "update signing_key set retired_at = now(), wrapped_private = '' where kid = any ($1) and retired_at is null",
    [kids],
  );
}

async function rotate(
  client: ClientBase,
  tenant: string,
  change: Extract<KeyChange, { kind: "signing_key_rotated" }>,
): Promise<void> {
  await client.query(LOCK_SIGNING_KEYS);
  const { rows } = await client.query<{ kid: string }>("select kid from signing_key where retired_at is null");
  const living = rows.map(({ kid }) => kid).sort();
  if (living.join() !== [...change.living].sort().join()) throw new Refusal("revision_conflict");
  await insertSigningKey(client, change.made);
  await retire(client, change.retired);
  await client.query(MOVE_KEYS);
  if (!change.atOnce) return;
  // Every tenant's counter moves, this one's with the change itself: what any replica judges by such a token is refused.
  await client.query(
    `with locked as (select tenant from revision where tenant <> $1 order by tenant for update)
     update revision r set security = security + 1 from locked where r.tenant = locked.tenant`,
    [tenant],
  );
}

async function rewrap(
  client: ClientBase,
  { signing, data }: Extract<KeyChange, { kind: "keys_rewrapped" }>,
): Promise<void> {
  const tables = [
    ["update signing_key set wrapped_private = $1, wrapped_by = $2 where kid = $3 and wrapped_by = $4", signing],
    ["update data_key set wrapped = $1, wrapped_by = $2 where id = $3 and wrapped_by = $4", data],
  ] as const;
  for (const [sql, keys] of tables) {
    // Another who does the same took it meanwhile, or it was destroyed: neither is ours to undo.
    for (const { id, was, wrapped } of keys) await client.query(sql, [Buffer.from(wrapped.bytes), wrapped.by, id, was]);
  }
}

/** Refuses what would set an erased tenant to something else. */
export async function refuseErased(client: ClientBase, tenant: string): Promise<void> {
  const { rowCount } = await client.query("select from data_key where tenant = $1 and destroyed_at is not null", [
    tenant,
  ]);
  if (rowCount !== 0) throw tenantErased();
}

async function erase(client: ClientBase, tenant: string, huskId: string): Promise<void> {
  const { rows } = await client.query<{ status: string; gone: boolean }>(
    `select t.status, exists (select from data_key k where k.tenant = t.id and k.destroyed_at is not null) as gone
       from tenant t where t.id = $1 for update of t`,
    [tenant],
  );
  const [row] = rows;
  if (!row) throw new Refusal("missing");
  if (row.gone) throw new Refusal("exists");
  if (row.status === "active") {
    throw new Fault("precondition", "tenant_active", "a tenant that is active cannot be erased", {
      field: "tenant",
      fix: "stop it first: `remit tenants set NAME --status closing`",
    });
  }
  await client.query("update tenant set status = 'closing' where id = $1", [tenant]);
  // A tenant that never had a key gets a destroyed one: none can be made for it any more.
  await client.query(
    `insert into data_key (id, tenant, wrapped, wrapped_by, destroyed_at) values ($1, $2, null, '', now())
     on conflict (tenant) do update set wrapped = null, wrapped_by = '', destroyed_at = now()`,
    [huskId, tenant],
  );
}

/** Does one change of keys inside its transaction. */
export async function changeKeys(client: ClientBase, tenant: string, change: KeyChange): Promise<void> {
  switch (change.kind) {
    case "signing_key_rotated":
      return rotate(client, tenant, change);
    case "signing_key_retired":
      await client.query(LOCK_SIGNING_KEYS);
      await retire(client, [change.kid]);
      await client.query(MOVE_KEYS);
      return;
    case "keys_rewrapped":
      return rewrap(client, change);
    case "sealing_enabled":
      return touched(client, "update cell set sealing = true", []);
    case "tenant_erased":
      return erase(client, tenant, change.huskId);
  }
}
