import type { PolicyDocument } from "@remit/engine";
import type { ClientBase, Pool } from "pg";
import { digestText } from "../foundation/digest.ts";
import type { Pause } from "../foundation/in-slices.ts";
import type { RolloutInfo, TenantRows } from "../policies/index.ts";
import { unparsedRows } from "./document-rows.ts";

interface LivingRow {
  readonly id: string;
  readonly share: number;
  readonly version: number;
  readonly digest: Buffer;
  readonly document: PolicyDocument;
}

/** The rollout that is under way; answers how to read the documents that it tries. */
export async function livingRollout(
  client: ClientBase,
  tenant: string,
): Promise<(pause: Pause) => Promise<TenantRows["rollout"]>> {
  const found = await unparsedRows<LivingRow>(
    client,
    `select r.id, r.share, v.version, v.digest, v.document
       from policy_rollout r
       join policy_rollout_version t on t.tenant = r.tenant and t.rollout = r.id
       join policy_version v on v.tenant = t.tenant and v.policy = t.policy and v.version = t.version
      where r.tenant = $1 and r.ended_at is null order by t.policy`,
    [tenant],
  );
  return async (pause) => {
    const rows = await found.parsed(pause);
    const [first] = rows;
    if (!first) return undefined;
    const policies = rows.map(({ version, digest, document }) => ({ version, digest: digestText(digest), document }));
    return { id: first.id, shareBasisPoints: first.share, policies };
  };
}

interface RolloutRow {
  readonly id: string;
  readonly share: number;
  readonly share_set_at: Date;
  readonly started_at: Date;
  readonly started_by: string;
  readonly starter: string | null;
  readonly ended_at: Date | null;
  readonly ended_by: string | null;
  readonly ender: string | null;
  readonly ended_as: "promoted" | "aborted" | "overtaken" | null;
  readonly versions:
    | readonly { readonly policy: string; readonly version: number; readonly base: number | null }[]
    | null;
}

function rolloutFrom(row: RolloutRow): RolloutInfo {
  const { id, ended_at: endedAt, ended_as: endedAs } = row;
  const by = row.ended_by === null ? undefined : { id: row.ended_by, name: row.ender ?? "" };
  return {
    id,
    shareBasisPoints: row.share,
    shareSetAtMs: row.share_set_at.getTime(),
    startedAtMs: row.started_at.getTime(),
    startedBy: { id: row.started_by, name: row.starter ?? "" },
    versions: (row.versions ?? []).map(({ policy, version, base }) => ({ policy, version, base: base ?? undefined })),
    ended: endedAt && endedAs ? { as: endedAs, atMs: endedAt.getTime(), by } : undefined,
  };
}

/** A rollout as its administrators see it: of that id, or the one under way, or the last one. */
export async function readRollout(pool: Pool, tenant: string, id: string | undefined): Promise<RolloutInfo | null> {
  const { rows } = await pool.query<RolloutRow>(
    `select r.id, r.share, r.share_set_at, r.started_at, r.started_by, starter.name as starter,
            r.ended_at, r.ended_by, ender.name as ender, r.ended_as,
            (select jsonb_agg(jsonb_build_object('policy', t.policy, 'version', t.version, 'base', t.base) order by t.policy)
               from policy_rollout_version t where t.tenant = r.tenant and t.rollout = r.id) as versions
       from policy_rollout r
       left join caller starter on starter.tenant = r.tenant and starter.id = r.started_by
       left join caller ender on ender.tenant = r.tenant and ender.id = r.ended_by
      where r.tenant = $1 and ($2::uuid is null or r.id = $2)
      order by r.ended_at is null desc, r.started_at desc limit 1`,
    [tenant, id ?? null],
  );
  return rows[0] ? rolloutFrom(rows[0]) : null;
}
