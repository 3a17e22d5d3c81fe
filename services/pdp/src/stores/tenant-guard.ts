import type { ClientBase } from "pg";
import type { Change } from "../decisions/index.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { type QuotaName, type Quotas, quotaExceeded, quotasFrom, tenantNotActive } from "../policies/index.ts";
import type { TenantRow } from "./tenant-row.ts";

/** Changes that end something, or set the tenant itself: a tenant that is not active may make no others. */
export const ENDING: ReadonlySet<Change["kind"]> = new Set([
  "key_revoked",
  "issuers_deleted",
  "bindings_deleted",
  "session_closed",
  "revoked",
  "tenant_set",
  "tenant_erased",
  "change_ended",
  "budget_frozen",
]);

/**
 * Refuses a change of a tenant that is not active, and answers its quotas. Its row stays locked against a change of
 * them until the transaction ends: what is made here was allowed when it was made.
 */
export async function guardTenant(client: ClientBase, tenant: string, change: Change): Promise<Quotas> {
  if (change.kind === "tenant_created" || ENDING.has(change.kind)) return {};
  const { rows } = await client.query<Pick<TenantRow, "status" | "quotas">>(
    "select status, quotas from tenant where id = $1 for share",
    [tenant],
  );
  const { status = "suspended", quotas = {} } = rows[0] ?? {};
  if (status !== "active") throw tenantNotActive(status);
  return quotasFrom(quotas);
}

/** Whether there are more than so many rows of a tenant: `$1` in what is counted. Never counts further than it has to. */
export async function countedAbove(client: ClientBase, max: number, counted: string, tenant: string): Promise<boolean> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from (select from ${counted} limit $2) counted`,
    [tenant, max + 1],
  );
  return (rows[0]?.count ?? 0) > max;
}

async function refuseAbove(client: ClientBase, name: QuotaName, max: number, counted: string, tenant: string) {
  if (await countedAbove(client, max, counted, tenant)) throw quotaExceeded(name, max);
}

/** Refuses the document that is one too many, once it was put. Changes of documents take turns, so the count is exact. */
export async function refuseTooManyDocuments(
  client: ClientBase,
  table: "agent" | "tool" | "budget" | "principal_group",
  tenant: string,
  quotas: Quotas,
): Promise<void> {
  if (table === "budget" || table === "principal_group") {
    const [what, max] = table === "budget" ? ["budgets", limits.budgetsMax] : ["groups", limits.groupsMax];
    if (!(await countedAbove(client, Number(max), `${table} where tenant = $1`, tenant))) return;
    throw new Fault("exhausted", "quota_exceeded", `the tenant may declare no more than ${max} ${what}`, {
      limit: `${max} ${what}`,
      fix: "remove some that are not needed",
    });
  }
  const [name, most] =
    table === "agent" ? (["agents", limits.agentsMax] as const) : (["tools", limits.toolsMax] as const);
  return refuseAbove(client, name, Math.min(quotas[name] ?? most, most), `${table} where tenant = $1`, tenant);
}

/** Refuses the session that is one too many, before it is opened. Only tenants with that quota take turns. */
export async function refuseTooManySessions(client: ClientBase, tenant: string, quotas: Quotas): Promise<void> {
  const { sessionsOpen } = quotas;
  if (sessionsOpen === undefined) return;
  await client.query("select pg_advisory_xact_lock(hashtextextended('remit_sessions/' || $1, 0))", [tenant]);
  const open = "session where tenant = $1 and state = 'open' and expires_at > now()";
  // One more is about to be there.
  await refuseAbove(client, "sessionsOpen", sessionsOpen, `(select from ${open} union all select) given`, tenant);
}
