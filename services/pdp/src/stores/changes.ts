import type { ClientBase, Pool } from "pg";
import type { Applied, Change, ChangeStore } from "../decisions/index.ts";
import { ok, type Result, refused } from "../foundation/result.ts";
import type { TenantChanges } from "../policies/index.ts";
import { resetBreaker } from "./breakers.ts";
import { changeBudgets, isBudgetChange } from "./budget-changes.ts";
import { changeCallers, insertCaller } from "./caller-changes.ts";
import { deleteDocuments, putDocument } from "./document-changes.ts";
import { changeKeys, refuseErased } from "./key-changes.ts";
import { changePolicies } from "./policy-changes.ts";
import { applyProposed, changeProposal, ofGuard } from "./proposed-changes.ts";
import type { RecordedChanges } from "./recorded-change.ts";
import { Refusal, touched } from "./refusal.ts";
import { changeRevocations } from "./revocations.ts";
import { changeSession } from "./session-changes.ts";
import { ENDING, guardTenant } from "./tenant-guard.ts";

const UNIQUE_VIOLATION = "23505";
const FOREIGN_KEY_VIOLATION = "23503";

/** Which counter a change moves. `security`: authority may have shrunk, so what was judged before must be judged anew. */
function bumps(change: Change): "security" | "policy" | "none" {
  switch (change.kind) {
    case "tenant_created":
    case "key_created":
    case "caller_sighted":
    case "policies_published":
    case "policies_validated":
    case "session_opened":
    case "session_delegated":
    case "session_closed":
    case "signing_key_retired":
    case "keys_rewrapped":
    case "sealing_enabled":
    case "change_proposed":
    case "change_approved":
    case "change_ended":
    // Whoever counts reads these.
    case "breaker_reset":
    // The commits that charge accounts read these themselves.
    case "account_limit_set":
    case "budget_frozen":
    case "budget_unfrozen":
    case "hold_resolved":
      return "none";
    case "policies_activated":
    case "policies_rolled_back":
    case "rollout_started":
    case "rollout_share_set":
    case "rollout_promoted":
    case "rollout_aborted":
      return "policy";
    case "signing_key_rotated":
      return change.atOnce ? "security" : "none";
    // What a policy allowed may be allowed by nothing now.
    case "policies_deactivated":
    case "tenant_erased":
    case "tenant_set":
    case "key_revoked":
    case "issuer_put":
    case "issuers_deleted":
    case "binding_put":
    case "bindings_deleted":
    case "agent_put":
    case "tool_put":
    case "budget_put":
    case "budget_limit_set":
    case "group_put":
    case "tools_deleted":
    case "agents_deleted":
    case "budgets_deleted":
    case "groups_deleted":
    case "revoked":
    // What is lifted is asked for again at once, and not where the news comes first.
    case "revocation_lifted":
      return "security";
  }
}

async function setTenant(client: ClientBase, tenant: string, set: TenantChanges): Promise<void> {
  const { status, mode, observeAgents, quotas, people, workloadPrefixes, unbudgeted, breakers } = set;
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  await touched(
    client,
    `update tenant set status = coalesce($2, status), mode = coalesce($3, mode),
        observe_agents = coalesce($4::jsonb, observe_agents), quotas = coalesce($5::jsonb, quotas),
        people = coalesce($6, people), workload_prefixes = coalesce($7, workload_prefixes),
        unbudgeted = coalesce($8, unbudgeted), breakers = coalesce($9, breakers)
      where id = $1`,
    [
      ...[tenant, status ?? null, mode ?? null, json(observeAgents), json(quotas), people ?? null],
      ...[workloadPrefixes ?? null, unbudgeted ?? null, breakers ?? null],
    ],
  );
}

async function createTenant(
  client: ClientBase,
  tenant: string,
  { quotas, owner, keyHash }: Extract<Change, { kind: "tenant_created" }>,
  revision: bigint,
): Promise<void> {
  await client.query("insert into tenant (id, quotas, breakers) values ($1, $2, 'enforce')", [
    tenant,
    JSON.stringify(quotas),
  ]);
  await client.query("insert into revision (tenant) values ($1)", [tenant]);
  await insertCaller(client, owner, keyHash, revision);
}

/** Does one change inside its transaction. */
async function make(
  client: ClientBase,
  tenant: string,
  change: Change,
  revision: bigint,
  entry: string,
): Promise<Applied["versions"]> {
  const quotas = await guardTenant(client, tenant, change);
  switch (change.kind) {
    case "tenant_created":
      await createTenant(client, tenant, change, revision);
      return [];
    case "tenant_set":
      await refuseErased(client, tenant);
      await setTenant(client, tenant, change.set);
      return [];
    case "key_created":
    case "caller_sighted":
    case "key_revoked":
    case "issuer_put":
    case "issuers_deleted":
    case "binding_put":
    case "bindings_deleted":
      await changeCallers(client, tenant, change, revision);
      return [];
    case "agent_put":
    case "tool_put":
    case "budget_put":
    case "group_put":
      await putDocument(client, tenant, change, revision, quotas);
      return [];
    case "tools_deleted":
    case "agents_deleted":
    case "budgets_deleted":
    case "groups_deleted":
      await deleteDocuments(client, tenant, change);
      return [];
    case "policies_published":
    case "policies_validated":
    case "policies_activated":
    case "policies_deactivated":
    case "policies_rolled_back":
    case "rollout_started":
    case "rollout_share_set":
    case "rollout_promoted":
    case "rollout_aborted":
      return changePolicies(client, tenant, change, revision);
    case "revoked":
    case "revocation_lifted":
      await changeRevocations(client, tenant, change, revision);
      return [];
    case "breaker_reset":
      await resetBreaker(client, tenant, change.reset, revision);
      return [];
    case "session_opened":
    case "session_delegated":
    case "session_closed":
      await changeSession(client, tenant, change, quotas);
      return [];
    case "change_proposed":
    case "change_approved":
    case "change_ended":
      return changeProposal(client, tenant, change, entry);
    default:
      if (isBudgetChange(change)) await changeBudgets(client, tenant, change, revision);
      else await changeKeys(client, tenant, change);
      return [];
  }
}

function refusalOf(error: unknown): Refusal["why"] | undefined {
  if (error instanceof Refusal) return error.why;
  const { code } = error as { code?: unknown };
  if (code === UNIQUE_VIOLATION) return "exists";
  return code === FOREIGN_KEY_VIOLATION ? "missing" : undefined;
}

/** The changes over Postgres: each one transaction, its entry in it, its revision taken last. */
export function createChangeStore(rooms: { readonly pool: Pool; readonly recorded: RecordedChanges }): ChangeStore {
  const { pool, recorded } = rooms;
  return {
    async apply(tenant, change, entry, under): Promise<Result<Applied, Refusal["why"]>> {
      const where = {
        ...{ tenant, bump: bumps(change), ending: ENDING.has(change.kind) },
        ...("expected" in change && { expected: change.expected }),
        ...(change.kind === "hold_resolved" && { beside: change.ending }),
      };
      try {
        const made = await recorded.run(
          where,
          () => entry,
          async (client, revision) => {
            if (under) await applyProposed(client, tenant, change, under, entry.id);
            return make(client, tenant, change, revision, entry.id);
          },
        );
        return ok({ revisions: made.revision, record: made.ref, versions: made.value });
      } catch (error) {
        const why = refusalOf(error);
        if (why === undefined) throw ofGuard(error, tenant) ?? error;
        return refused(why);
      }
    },
    async isEmpty() {
      const { rows } = await pool.query<{ some: boolean }>("select exists (select from tenant) as some");
      return rows[0]?.some !== true;
    },
  };
}
