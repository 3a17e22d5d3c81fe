import type { AgentDocument, PolicyDocument, ToolDocument } from "@remit/engine";
import type { Pool } from "pg";
import { digestText } from "../foundation/digest.ts";
import type {
  ActivePolicy,
  PolicyStore,
  PolicyVersion,
  Registered,
  Revisions,
  StoredPolicy,
} from "../policies/index.ts";
import { withTransaction } from "./database.ts";
import { settingsFrom, TENANT_COLUMNS, type TenantRow, tenantFrom } from "./tenant-row.ts";

interface DocumentRow<Document> {
  readonly document: Document;
  readonly digest: Buffer;
}

function registered<Document>({ document, digest }: DocumentRow<Document>): Registered<Document> {
  return { document, digest: digestText(digest) };
}

type ActiveRow = DocumentRow<PolicyDocument> & { readonly version: number };

const active = (row: ActiveRow): ActivePolicy => ({ ...registered(row), version: row.version });

const REVISION = "select security::text, policy::text from revision where tenant = $1";

interface RevisionRow {
  readonly security: string;
  readonly policy: string;
}

function revisionsFrom({ security, policy }: RevisionRow = { security: "0", policy: "0" }): Revisions {
  return { security: BigInt(security), policy: BigInt(policy) };
}

interface VersionRow {
  readonly policy: string;
  readonly version: number;
  readonly digest: Buffer;
  readonly rules: number;
  readonly published_at: Date;
  readonly active_version: number | null;
}

function versionFrom(row: VersionRow): PolicyVersion {
  const { policy, version, rules, digest, published_at: publishedAt, active_version: activeVersion } = row;
  const passed = activeVersion !== null && version < activeVersion;
  const state = version === activeVersion ? "active" : passed ? "superseded" : "validated";
  return { policy, version, digest: digestText(digest), state, rules, publishedAtMs: publishedAt.getTime() };
}

interface StoredRow extends VersionRow {
  readonly document: PolicyDocument;
  readonly source: string;
}

const stored = (row: StoredRow): StoredPolicy => {
  const { document, source } = row;
  return { version: versionFrom(row), document, source };
};

const VERSION_COLUMNS = "v.policy, v.version, v.digest, v.rules, v.published_at, a.version as active_version";

/** Policies, tools and agents, read from Postgres. */
export function createPolicyStore(pool: Pool): PolicyStore {
  return {
    async load(tenant) {
      // One snapshot, and the revision first: read committed would mix two revisions.
      return withTransaction(pool, "repeatable read read only", async (client) => {
        const revision = await client.query<RevisionRow>(REVISION, [tenant]);
        const settings = await client.query<TenantRow>(`select ${TENANT_COLUMNS} from tenant where id = $1`, [tenant]);
        const policies = await client.query<ActiveRow>(
          `select v.document, v.digest, v.version from active_policy a join policy_version v using (tenant, policy, version)
            where a.tenant = $1 order by v.policy`,
          [tenant],
        );
        const tools = await client.query<DocumentRow<ToolDocument>>(
          "select document, digest from tool where tenant = $1 order by name",
          [tenant],
        );
        const agents = await client.query<DocumentRow<AgentDocument>>(
          "select document, digest from agent where tenant = $1 order by name",
          [tenant],
        );
        return {
          revisions: revisionsFrom(revision.rows[0]),
          settings: settingsFrom(settings.rows[0]),
          policies: policies.rows.map(active),
          tools: tools.rows.map(registered),
          agents: agents.rows.map(registered),
        };
      });
    },
    async revisions(tenant) {
      return revisionsFrom((await pool.query<RevisionRow>(REVISION, [tenant])).rows[0]);
    },
    async tenant(id) {
      const { rows } = await pool.query<TenantRow>(`select ${TENANT_COLUMNS} from tenant where id = $1`, [id]);
      return rows[0] ? tenantFrom(rows[0]) : null;
    },
    async tenants() {
      const { rows } = await pool.query<TenantRow>(`select ${TENANT_COLUMNS} from tenant order by id`);
      return rows.map(tenantFrom);
    },
    async versions(tenant) {
      const { rows } = await pool.query<VersionRow>(
        `select ${VERSION_COLUMNS}
           from policy_version v left join active_policy a using (tenant, policy)
          where v.tenant = $1 order by v.policy, v.version`,
        [tenant],
      );
      return rows.map(versionFrom);
    },
    async documents(tenant, choices) {
      const { rows } = await pool.query<ActiveRow>(
        `select distinct on (v.policy) v.document, v.digest, v.version
           from unnest($2::text[], $3::int[]) as choice(policy, version)
           join policy_version v on v.tenant = $1 and v.policy = choice.policy
                and (choice.version = 0 or v.version = choice.version)
          order by v.policy, v.version desc`,
        [tenant, choices.map(({ policy }) => policy), choices.map(({ version }) => version)],
      );
      return rows.map(active);
    },
    async stored(tenant, choices) {
      if (choices.length === 0) {
        const { rows } = await pool.query<StoredRow>(
          `select ${VERSION_COLUMNS}, v.document, v.source
             from active_policy a join policy_version v using (tenant, policy, version)
            where a.tenant = $1 order by v.policy`,
          [tenant],
        );
        return rows.map(stored);
      }
      const { rows } = await pool.query<StoredRow>(
        `select ${VERSION_COLUMNS}, v.document, v.source
           from unnest($2::text[], $3::int[]) with ordinality as choice(policy, version, place)
           cross join lateral (
             select * from policy_version p
              where p.tenant = $1 and p.policy = choice.policy and (choice.version = 0 or p.version = choice.version)
              order by p.version desc limit 1) v
           left join active_policy a on a.tenant = v.tenant and a.policy = v.policy
          order by choice.place`,
        [tenant, choices.map(({ policy }) => policy), choices.map(({ version }) => version)],
      );
      return rows.map(stored);
    },
  };
}
