import type { JsonObject } from "../foundation/canonical.ts";
import type { Binding, Issuer } from "../identities/index.ts";
import type { BudgetTarget } from "./budget-change.ts";
import type { Change } from "./change-store.ts";
import type { PlannedRow, PlannedTable } from "./proposal-store.ts";

const put = (table: PlannedTable, name: string, document: object): PlannedRow => ({
  ...{ table, key: { name }, set: { name, document: document as JsonObject } },
});

const inForce = ({ policy, version }: { readonly policy: string; readonly version: number }): PlannedRow => ({
  ...{ table: "active_policy", key: { policy }, set: { policy, version } },
});

/** Where the documents of a change stand in the store. */
export const documentTables = {
  agent_put: "agent",
  tool_put: "tool",
  budget_put: "budget",
  group_put: "principal_group",
  agents_deleted: "agent",
  tools_deleted: "tool",
  budgets_deleted: "budget",
  groups_deleted: "principal_group",
} as const;

const versionsOf = (choices: readonly { readonly policy: string; readonly version: number }[]) =>
  Object.fromEntries(choices.map(({ policy, version }) => [policy, version]));

// As the columns hold it: nothing where there is nothing.
const stored = (row: object): JsonObject => JSON.parse(JSON.stringify(row)) as JsonObject;

function issuerRows({ name, profile, use, issuer, ...rest }: Issuer): PlannedRow[] {
  const { audiences, jwksUri = null, jwks = null, algorithms, claims } = rest;
  const { tokenSecondsMax, sessionSecondsMax, principalPrefix } = rest;
  const set = stored({
    ...{ name, profile, use, issuer, jwks_uri: jwksUri, jwks, algorithms, claims, principal_prefix: principalPrefix },
    ...{ token_seconds_max: tokenSecondsMax, session_seconds_max: sessionSecondsMax },
  });
  const heard = audiences.map((audience): PlannedRow => {
    const row = { issuer, audience, name };
    return { table: "issuer_audience", key: row, set: row };
  });
  return [{ table: "issuer", key: { name }, set }, ...heard];
}

function bindingRow({ name, issuer, subject, group, agents, mayAssertPrincipals, roles }: Binding): PlannedRow {
  const match = { issuer, subject: subject ?? null, caller_group: group ?? null };
  const set = stored({ name, ...match, agents, may_assert_principals: mayAssertPrincipals, roles });
  return { table: "binding", key: { name }, set };
}

const unfrozen = (target: BudgetTarget): PlannedRow =>
  "budget" in target
    ? { table: "budget_freeze", key: { name: target.budget }, set: { frozen: false } }
    : { table: "account", key: { id: String(target.account) }, set: { frozen: false } };

const releasedHold = ({ hold, decision }: { readonly hold: string; readonly decision: string }): PlannedRow => ({
  ...{ table: "hold_resolution", key: undefined, set: { hold, decision, released: true } },
});

/** The rows of authority that a change writes; undefined of a change that is not proposed. */
export function plannedRows(change: Change): readonly PlannedRow[] | undefined {
  switch (change.kind) {
    case "tenant_set": {
      const { people, mode, observeAgents, unbudgeted, breakers } = change.set;
      const set = stored({ people, mode, observe_agents: observeAgents, unbudgeted, breakers });
      return [{ table: "tenant", key: stored({ unbudgeted, breakers }), set }];
    }
    case "key_created": {
      const { name, roles, agents, mayAssertPrincipals, createdBy = null } = change.caller;
      const key_hash = `\\x${Buffer.from(change.keyHash).toString("hex")}`;
      const given = { roles, agents, may_assert_principals: mayAssertPrincipals, created_by: createdBy };
      return [{ table: "caller", key: undefined, set: { name, key_hash, ...given } }];
    }
    case "budget_limit_set":
      return [put("budget", change.document.metadata.name, change.document)];
    case "account_limit_set": {
      const set = { own_limit: change.limitMicros === null ? null : String(change.limitMicros) };
      return [{ table: "account", key: { id: String(change.account) }, set }];
    }
    case "budget_unfrozen":
      return [unfrozen(change.target)];
    case "hold_resolved":
      return change.as === "released" ? [releasedHold(change)] : undefined;
    case "agent_put":
    case "tool_put":
    case "budget_put":
    case "group_put":
      return [put(documentTables[change.kind], change.document.metadata.name, change.document)];
    case "agents_deleted":
    case "tools_deleted":
    case "budgets_deleted":
    case "groups_deleted":
      return change.names.map((name) => ({ table: documentTables[change.kind], key: { name }, set: null }));
    case "policies_activated":
    case "policies_rolled_back":
    case "rollout_promoted":
      return change.choices.map(inForce);
    case "policies_deactivated":
      return change.policies.map((policy) => ({ table: "active_policy", key: { policy }, set: null }));
    case "rollout_started": {
      const set = { share: change.shareBasisPoints, versions: versionsOf(change.choices) };
      return [{ table: "policy_rollout", key: undefined, set }];
    }
    case "rollout_share_set":
      return [{ table: "policy_rollout", key: { id: change.rollout }, set: { share: change.shareBasisPoints } }];
    case "issuer_put":
      return issuerRows(change.issuer);
    case "binding_put":
      return [bindingRow(change.binding)];
    case "revocation_lifted":
      return [{ table: "revocation", key: { id: change.id }, set: { lifted: true } }];
    default:
      return undefined;
  }
}
