import type { ClientBase, Pool } from "pg";
import { assert } from "../foundation/assert.ts";
import { digestText } from "../foundation/digest.ts";
import { mapInSlices, type Pause } from "../foundation/in-slices.ts";
import type { ActivePolicy, PolicyStore, TenantRows } from "../policies/index.ts";
import { documentRows, unparsedRows } from "./document-rows.ts";
import { type ActiveRow, active } from "./policy-versions.ts";

/** Rules that are read at once with the rest of a tenant's rows: reading more of them takes longer than all of that. */
const AT_ONCE_RULES_MAX = 1_000;

const IN_FORCE = "active_policy a join policy_version v using (tenant, policy, version) where a.tenant = $1";
// By bytes, whatever the collation of the database: what is compiled before a change has its policies in this order.
const IN_ORDER = 'order by v.policy collate "C"';
const WHOLE = `select v.document, v.digest, v.version from ${IN_FORCE} ${IN_ORDER}`;
const HEADS = `select v.policy, v.version, v.digest, v.rules from ${IN_FORCE} ${IN_ORDER}`;
const NAMED = `select v.document, v.digest, v.version from ${IN_FORCE} and v.policy = any($2)`;
const ONE = "select document, digest, version from policy_version where tenant = $1 and policy = $2 and version = $3";

interface HeadRow {
  readonly policy: string;
  readonly version: number;
  readonly digest: Buffer;
  readonly rules: number;
}

type InForce = Pick<TenantRows, "policies" | "heads">;

const keyOf = (policy: string, version: number, digest: string) => `${policy} ${version} ${digest}`;

async function readBeside(
  client: ClientBase,
  tenant: string,
  { known, pause }: { readonly known: readonly ActivePolicy[]; readonly pause: Pause },
): Promise<() => Promise<InForce>> {
  const { rows } = await client.query<HeadRow>(HEADS, [tenant]);
  const held = new Map(known.map((one) => [keyOf(one.document.metadata.name, one.version, one.digest), one]));
  const heads = rows.map((row) => ({ ...row, digest: digestText(row.digest) }));
  const heldOf = ({ policy, version, digest }: Omit<HeadRow, "digest"> & { readonly digest: string }) =>
    held.get(keyOf(policy, version, digest));
  const missing = heads.filter((head) => !heldOf(head));
  const policies = heads.flatMap((head) => heldOf(head) ?? []);
  if (missing.length === 0) return async () => ({ policies });
  if (missing.reduce((sum, { rules }) => sum + rules, 0) > AT_ONCE_RULES_MAX) return async () => ({ policies, heads });
  const names = missing.map(({ policy }) => policy);
  const read = await unparsedRows<ActiveRow>(client, NAMED, [tenant, names]);
  return async () => {
    const found = new Map(
      (await read.parsed(pause)).map((row) => [keyOf("", row.version, digestText(row.digest)), active(row)]),
    );
    return { policies: heads.flatMap((head) => heldOf(head) ?? found.get(keyOf("", head.version, head.digest)) ?? []) };
  };
}

/**
 * What is in force of a tenant; with `known`, which is not read again, and of the rest only what is little. What this
 * answers is called when the transaction is over, and parses what was read.
 */
export async function policiesInForce(
  client: ClientBase,
  tenant: string,
  { known, pause }: { readonly known: readonly ActivePolicy[] | undefined; readonly pause: Pause },
): Promise<() => Promise<InForce>> {
  if (known) return readBeside(client, tenant, { known, pause });
  const read = await unparsedRows<ActiveRow>(client, WHOLE, [tenant]);
  return async () => ({ policies: await mapInSlices(await read.parsed(pause), pause, active) });
}

/** Reads a version that was left out. */
export const readPolicy =
  (pool: Pool, pause: Pause): PolicyStore["read"] =>
  async (tenant, { policy, version }) => {
    const [row] = await documentRows<ActiveRow>(pool, ONE, [tenant, policy, version], pause);
    assert(row, "a version that was in force is there");
    return active(row);
  };
