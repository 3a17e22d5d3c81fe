import { isDeepStrictEqual } from "node:util";
import type { Pool } from "pg";
import type {
  ChangedRow,
  PlannedRow,
  PlannedTable,
  Proposal,
  ProposalState,
  ProposalStore,
} from "../decisions/index.ts";
import type { JsonObject } from "../foundation/canonical.ts";
import type { Remembered } from "../identities/index.ts";
import { documentRows } from "./document-rows.ts";

interface Row {
  readonly id: string;
  readonly tenant: string;
  readonly request: string;
  readonly said: Omit<Proposal, "id" | "tenant"> & { readonly revision: string };
  readonly digest: Buffer;
  readonly by_id: string;
  readonly by_name: string;
  readonly proposed_at: Date;
  readonly expires_at: Date;
  readonly state: ProposalState;
  readonly ended_at: Date | null;
  readonly ended_by: string | null;
  readonly ended_name: string | null;
  readonly ended_why: string;
  readonly people: number;
  readonly proven: Remembered | null;
  readonly approvals: readonly { id: string; name: string; at: number; proven: Remembered | null }[];
}

// Whoever has not heard yet that its time ran out sees it all the same.
const COLUMNS = `c.id, c.tenant, c.digest, c.proposed_by as by_id, p.name as by_name, c.proposed_at, c.expires_at,
  case when c.state = 'proposed' and c.expires_at <= now() then 'expired' else c.state end as state,
  c.ended_at, c.ended_by, c.proven, e.name as ended_name, c.ended_why, t.people,
  (select coalesce(jsonb_agg(jsonb_build_object('id', a.approver, 'name', w.name, 'proven', a.proven,
       'at', extract(epoch from a.approved_at) * 1000) order by a.approved_at, a.approver), '[]')
     from change_approval a join caller w on w.tenant = a.tenant and w.id = a.approver where a.change = c.id) as approvals`;
const JOINS = `from change c join tenant t on t.id = c.tenant
  join caller p on p.tenant = c.tenant and p.id = c.proposed_by
  left join caller e on e.tenant = c.tenant and e.id = c.ended_by`;

function proposalFrom(row: Row): Proposal {
  const { id, tenant, request, digest, said, state, people } = row;
  const { method, message, reason, rows, revision } = said;
  const ended = row.ended_at && {
    atMs: row.ended_at.getTime(),
    by: row.ended_by === null ? undefined : { id: row.ended_by, name: row.ended_name ?? "" },
    why: row.ended_why,
  };
  return {
    ...{ id, tenant, request, digest, method, message, reason, rows, revision, state, people },
    by: { id: row.by_id, name: row.by_name },
    proven: row.proven ?? undefined,
    proposedAtMs: row.proposed_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    approvals: row.approvals.map(({ id: by, name, at, proven }) => ({
      ...{ by: { id: by, name }, atMs: Math.floor(at), proven: proven ?? undefined },
    })),
    ended: ended ?? undefined,
  };
}

const DOCUMENT = "jsonb_build_object('name', name, 'document', document)";

/** What shows of a row, as the guards of migration 0016 compare it; `$2` is its key. */
const SHOWN: Readonly<Record<PlannedTable, string>> = {
  active_policy: `select jsonb_build_object('policy', policy, 'version', version) as row from active_policy
    where tenant = $1 and policy = $2::jsonb ->> 'policy'`,
  agent: `select ${DOCUMENT} as row from agent where tenant = $1 and name = $2::jsonb ->> 'name'`,
  tool: `select ${DOCUMENT} as row from tool where tenant = $1 and name = $2::jsonb ->> 'name'`,
  budget: `select ${DOCUMENT} as row from budget where tenant = $1 and name = $2::jsonb ->> 'name'`,
  budget_freeze: `select jsonb_build_object('name', name, 'frozen', frozen) as row from budget
    where tenant = $1 and name = $2::jsonb ->> 'name'`,
  account: `select remit_account_shown(a) as row from account a
    where tenant = $1 and id = ($2::jsonb ->> 'id')::bigint`,
  // Rows of resolutions are only ever made, as those of callers.
  hold_resolution: "select null::jsonb as row where $1 is null and $2::jsonb is null",
  principal_group: `select ${DOCUMENT} as row from principal_group where tenant = $1 and name = $2::jsonb ->> 'name'`,
  policy_rollout: `select remit_rollout_shown(tenant, id, share) as row from policy_rollout
    where tenant = $1 and id = ($2::jsonb ->> 'id')::uuid and ended_at is null`,
  // As its guard compares it: what does not change is left out of it.
  tenant: `select jsonb_build_object('people', people, 'mode', mode, 'observe_agents', observe_agents)
      || case when unbudgeted <> $2::jsonb ->> 'unbudgeted' then jsonb_build_object('unbudgeted', unbudgeted)
         else '{}' end
      || case when breakers <> $2::jsonb ->> 'breakers' then jsonb_build_object('breakers', breakers) else '{}' end as row
    from tenant where id = $1`,
  revocation: `select jsonb_build_object('id', id, 'kind', kind, 'subject', subject, 'labels', labels,
      'lifted', lifted_at is not null) as row
    from revocation where tenant = $1 and id = ($2::jsonb ->> 'id')::uuid`,
  issuer: `select to_jsonb(i) - 'tenant' - 'revision' as row from issuer i
    where tenant = $1 and name = $2::jsonb ->> 'name'`,
  issuer_audience: `select to_jsonb(a) - 'tenant' as row from issuer_audience a
    where tenant = $1 and issuer = $2::jsonb ->> 'issuer' and audience = $2::jsonb ->> 'audience'
      and name = $2::jsonb ->> 'name'`,
  binding: `select to_jsonb(b) - 'tenant' - 'revision' as row from binding b
    where tenant = $1 and name = $2::jsonb ->> 'name'`,
  // Rows of callers are only ever made.
  caller: "select null::jsonb as row where $1 is null and $2::jsonb is null",
};

async function rowNow(pool: Pool, tenant: string, { table, key, set }: PlannedRow): Promise<ChangedRow> {
  if (key === undefined) return { table, was: null, becomes: set };
  const { rows } = await pool.query<{ row: JsonObject }>(SHOWN[table], [tenant, JSON.stringify(key)]);
  const was = rows[0]?.row ?? null;
  // A tenant's row is always there, and shows what the change is about.
  const shown =
    table === "tenant" && was && set ? Object.entries(set).filter(([name]) => Object.hasOwn(was, name)) : undefined;
  return { table, was, becomes: set === null ? null : { ...was, ...(shown ? Object.fromEntries(shown) : set) } };
}

/** Proposals over Postgres. */
export function createProposalStore(pool: Pool): ProposalStore {
  return {
    async proposal(tenant, id) {
      const text = `select ${COLUMNS}, c.request, c.request::jsonb as said ${JOINS} where c.tenant = $1 and c.id = $2`;
      const [row] = await documentRows<Row>(pool, text, [tenant, id]);
      return row ? proposalFrom(row) : null;
    },
    async proposals(tenant, { state, before, most }) {
      const text = `select * from (select ${COLUMNS}, '' as request, (c.request::jsonb - 'rows' - 'message')
            || '{"rows": [], "message": {}}' as said ${JOINS}
          where c.tenant = $1 and ($2::uuid is null or c.id < $2)) c
        where $3::text is null or state = $3 order by id desc limit $4`;
      const { rows } = await pool.query<Row>(text, [tenant, before ?? null, state ?? null, most]);
      return rows.map(proposalFrom);
    },
    async rowsNow(tenant, planned) {
      const found: ChangedRow[] = [];
      for (const one of planned) {
        const row = await rowNow(pool, tenant, one);
        // Compared as they come: there may be thousands of them.
        if (!isDeepStrictEqual(row.was, row.becomes)) found.push(row);
      }
      return found;
    },
    async overdue() {
      const { rows } = await pool.query<{ tenant: string; id: string }>(
        "select tenant, id from change where state = 'proposed' and expires_at <= now() order by expires_at limit 100",
      );
      return rows;
    },
  };
}

/** Tenants that are active and take one person for what widens authority, by id. */
export async function tenantsOfOne(pool: Pool, most: number): Promise<string[]> {
  const text = "select id from tenant where people = 1 and status = 'active' order by id limit $1";
  return (await pool.query<{ id: string }>(text, [most])).rows.map(({ id }) => id);
}
