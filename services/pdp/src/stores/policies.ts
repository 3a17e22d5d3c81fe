import type { AgentDocument, BudgetDocument, GroupDocument, ToolDocument } from "@remit/engine";
import type { Pool } from "pg";
import { mapInSlices, type Pause } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { DocumentKind, PolicyStore, Revisions } from "../policies/index.ts";
import { withTransaction } from "./database.ts";
import { type UnparsedRows, unparsedRows } from "./document-rows.ts";
import { readFingerprint } from "./fingerprint.ts";
import { policiesInForce, readPolicy } from "./policies-in-force.ts";
import { type DocumentRow, policyVersions, registered } from "./policy-versions.ts";
import { livingRevocations } from "./revocations.ts";
import { livingRollout, readRollout } from "./rollouts.ts";
import { storedPolicies } from "./stored-policies.ts";
import { settingsFrom, TENANT_COLUMNS, type TenantRow, tenantFrom } from "./tenant-row.ts";

const TABLES: Readonly<Record<DocumentKind, string>> = {
  agent: "agent",
  tool: "tool",
  budget: "budget",
  group: "principal_group",
};

const REVISION = "select security::text, policy::text from revision where tenant = $1";
const ENGINE = "select engine from cell";

interface RevisionRow {
  readonly security: string;
  readonly policy: string;
}

function revisionsFrom({ security, policy }: RevisionRow = { security: "0", policy: "0" }): Revisions {
  return { security: BigInt(security), policy: BigInt(policy) };
}

/** Policies, tools and agents, read from Postgres. `pause`: between slices of what is parsed, and stays in use. */
export function createPolicyStore(pool: Pool, pause: Pause = turnOfTheLoop): PolicyStore {
  return {
    async load(tenant, known) {
      // One snapshot, and the revision first: read committed would mix two revisions.
      const read = await withTransaction(pool, "repeatable read read only", async (client) => {
        const revision = await client.query<RevisionRow>(REVISION, [tenant]);
        const cell = await client.query<{ engine: string | null }>(ENGINE);
        const settings = await client.query<TenantRow>(`select ${TENANT_COLUMNS} from tenant where id = $1`, [tenant]);
        const policies = await policiesInForce(client, tenant, { known, pause });
        const of = <Document>(table: "tool" | "agent" | "budget" | "principal_group") => {
          const text = `select document, digest from ${table} where tenant = $1 order by name`;
          return unparsedRows<DocumentRow<Document>>(client, text, [tenant]);
        };
        const tools = await of<ToolDocument>("tool");
        const agents = await of<AgentDocument>("agent");
        const budgets = await of<BudgetDocument>("budget");
        const groups = await of<GroupDocument>("principal_group");
        const revocations = await livingRevocations(client, tenant);
        const rollout = await livingRollout(client, tenant);
        const { fingerprint } = await readFingerprint(client, tenant);
        const at = {
          revisions: revisionsFrom(revision.rows[0]),
          engine: cell.rows[0]?.engine ?? undefined,
          settings: settingsFrom(settings.rows[0]),
          fingerprint,
        };
        return { ...at, policies, tools, agents, budgets, groups, revocations, rollout };
      });
      const { revisions, engine, settings, fingerprint } = read;
      const rollout = await read.rollout(pause);
      const all = async <Document>(rows: UnparsedRows<DocumentRow<Document>>) =>
        mapInSlices(await rows.parsed(pause), pause, registered);
      return {
        ...(rollout && { rollout }),
        ...{ revisions, engine, settings, fingerprint },
        ...(await read.policies()),
        tools: await all(read.tools),
        agents: await all(read.agents),
        budgets: await all(read.budgets),
        groups: await all(read.groups),
        revocations: await read.revocations.parsed(pause),
      };
    },
    read: readPolicy(pool, pause),
    fingerprint: (tenant) => readFingerprint(pool, tenant),
    async revisions(tenant) {
      return revisionsFrom((await pool.query<RevisionRow>(REVISION, [tenant])).rows[0]);
    },
    async tenant(id) {
      const { rows } = await pool.query<TenantRow>(`select ${TENANT_COLUMNS} from tenant where id = $1`, [id]);
      return rows[0] ? tenantFrom(rows[0]) : null;
    },
    async tenants(after, most) {
      const text = `select ${TENANT_COLUMNS} from tenant where id > $1 order by id limit $2`;
      const { rows } = await pool.query<TenantRow>(text, [after ?? "", most]);
      return rows.map(tenantFrom);
    },
    async names(tenant, kind, after, most) {
      const { rows } = await pool.query<[string]>({
        ...{ rowMode: "array", values: [tenant, after ?? "", most] },
        text: `select name from ${TABLES[kind]} where tenant = $1 and name > $2 order by name limit $3`,
      });
      return rows.map(([name]) => name);
    },
    async tenantsInUse() {
      const { rows } = await pool.query<{ id: string }>(
        `select t.id from tenant t where t.status = 'active' and exists (
           select from session s where s.tenant = t.id and s.state = 'open' and s.expires_at > now()) order by t.id`,
      );
      return rows.map(({ id }) => id);
    },
    ...policyVersions(pool, pause),
    ...storedPolicies(pool, pause),
    rollout: (tenant, id) => readRollout(pool, tenant, id),
  };
}
