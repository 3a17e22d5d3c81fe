import type { ClientBase, Pool } from "pg";
import type { NewRevocation, Revocation, RevocationChange, RevocationStore } from "../decisions/index.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { MatchLabels, Revocable } from "../policies/index.ts";
import { type UnparsedRows, unparsedRows } from "./document-rows.ts";
import { Refusal } from "./refusal.ts";
import { countedAbove } from "./tenant-guard.ts";

// What a session would have done until it ended is over by itself then.
const LIVING = "r.lifted_at is null and (r.expires_at is null or r.expires_at > now())";

/** What is revoked of a tenant now. For the snapshot: in the transaction that read its revision. */
export async function livingRevocations(client: ClientBase, tenant: string): Promise<UnparsedRows<Revocable>> {
  const text = `select kind, subject, labels from revocation r where r.tenant = $1 and ${LIVING}`;
  return unparsedRows<Revocable>(client, text, [tenant]);
}

interface RevocationRow {
  readonly id: string;
  readonly kind: Revocable["kind"];
  readonly subject: string;
  readonly labels: MatchLabels;
  readonly reason: string;
  readonly made_at: Date;
  readonly made_by: string;
  readonly maker: string | null;
  readonly expires_at: Date | null;
  readonly lifted_at: Date | null;
  readonly lifted_by: string | null;
  readonly lifter: string | null;
  readonly lift_reason: string | null;
}

function revocationFrom(row: RevocationRow): Revocation {
  const { id, kind, subject, labels, reason } = row;
  return {
    ...{ id, kind, subject, labels, reason },
    atMs: row.made_at.getTime(),
    by: { id: row.made_by, name: row.maker ?? "" },
    expiresAtMs: row.expires_at?.getTime(),
    lifted:
      row.lifted_at && row.lifted_by
        ? {
            atMs: row.lifted_at.getTime(),
            by: { id: row.lifted_by, name: row.lifter ?? "" },
            reason: row.lift_reason ?? "",
          }
        : undefined,
  };
}

const SELECT = `select r.*, maker.name as maker, lifter.name as lifter
    from revocation r
    left join caller maker on maker.tenant = r.tenant and maker.id = r.made_by
    left join caller lifter on lifter.tenant = r.tenant and lifter.id = r.lifted_by
   where r.tenant = $1`;

/** Revocations, read from Postgres. */
export function createRevocationStore(pool: Pool): RevocationStore {
  const one = async (where: string, values: readonly unknown[]) => {
    const { rows } = await pool.query<RevocationRow>(`${SELECT} and ${where}`, [...values]);
    return rows[0] ? revocationFrom(rows[0]) : null;
  };
  return {
    revocation: (tenant, id) => one("r.id = $2", [tenant, id]),
    living: (tenant, { kind, subject }) =>
      one("r.kind = $2 and r.subject = $3 and r.lifted_at is null", [tenant, kind, subject]),
    async revocations(tenant, { all, halts, before, most }) {
      const { rows } = await pool.query<RevocationRow>(
        `${SELECT} and ($2 or (${LIVING})) and (not $3 or r.kind in ('labels', 'tenant')) and ($4::uuid is null or r.id < $4)
          order by r.id desc limit $5`,
        [tenant, all, halts, before ?? null, most],
      );
      return rows.map(revocationFrom);
    },
  };
}

async function refuseTooMany(client: ClientBase, tenant: string, { kind }: Revocable): Promise<void> {
  const isHalt = kind === "labels" || kind === "tenant";
  const max = isHalt ? limits.haltsMax : limits.revocationsMax;
  const which = isHalt ? "in ('labels', 'tenant')" : "not in ('labels', 'tenant')";
  if (
    !(await countedAbove(client, max, `revocation r where r.tenant = $1 and r.kind ${which} and ${LIVING}`, tenant))
  ) {
    return;
  }
  const what = isHalt ? "living halts" : "living revocations";
  throw new Fault("exhausted", "quota_exceeded", `the tenant may have no more than ${max} ${what}`, {
    limit: `${max} ${what}`,
    fix: "revoke what they have in common, or halt the tenant; then lift some",
    retryable: false,
  });
}

/** Ends a session for good; answers when it would have ended. */
async function endSession(client: ClientBase, tenant: string, id: string, revision: bigint): Promise<Date> {
  const { rows } = await client.query<{ expires_at: Date }>(
    `update session set state = 'revoked', closed_at = coalesce(closed_at, now()), revision = $3
      where tenant = $1 and id = $2 returning expires_at`,
    [tenant, id, revision],
  );
  const [row] = rows;
  if (!row) throw new Refusal("missing");
  return row.expires_at;
}

/** Revokes. What lives already is a refusal. */
async function insertRevocation(
  client: ClientBase,
  tenant: string,
  { id, kind, subject, labels, reason, by }: NewRevocation,
  revision: bigint,
): Promise<void> {
  const expiresAt = kind === "session" ? await endSession(client, tenant, subject, revision) : null;
  const { rowCount } = await client.query(
    `insert into revocation (tenant, id, kind, subject, labels, reason, made_by, expires_at, revision)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant, kind, subject) where lifted_at is null do nothing`,
    [tenant, id, kind, subject, JSON.stringify(labels), reason, by, expiresAt, revision],
  );
  if (rowCount !== 1) throw new Refusal("exists");
  await refuseTooMany(client, tenant, { kind, subject, labels });
}

/** Lifts what still lives; what does not is a refusal. */
async function liftRevocation(
  client: ClientBase,
  tenant: string,
  { id, by, reason }: { readonly id: string; readonly by: string; readonly reason: string },
  revision: bigint,
): Promise<void> {
  const { rowCount } = await client.query(
    `update revocation set lifted_at = now(), lifted_by = $3, lift_reason = $4, lifted_revision = $5
      where tenant = $1 and id = $2 and kind <> 'session' and lifted_at is null`,
    [tenant, id, by, reason, revision],
  );
  if (rowCount !== 1) throw new Refusal("missing");
}

/** Revokes or lifts inside its transaction. */
export function changeRevocations(
  client: ClientBase,
  tenant: string,
  change: RevocationChange,
  revision: bigint,
): Promise<void> {
  if (change.kind === "revoked") return insertRevocation(client, tenant, change.revocation, revision);
  return liftRevocation(client, tenant, change, revision);
}
