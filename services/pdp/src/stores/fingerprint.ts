import type { ClientBase, Pool } from "pg";
import type { Fingerprint, Fingerprinted } from "../policies/index.ts";

/*
 * What the rows of a tenant are, in one number a table: a sum of hashes, so no order matters and nothing is sorted. A row
 * is known by its name, its digest and the transaction that wrote it: whatever writes it, and however, it is another row
 * afterwards, and nobody has to read what stands in it; a budget by what it says. Such sums compare within one Postgres, and that is all they do.
 */
/** The sum of the rows of `from`, which may say which they are, by these columns: an expression of SQL. */
export const sumOfRows = (columns: string, from: string) =>
  `(select coalesce(sum(hash_record_extended(row(${columns}), 0)), 0)::text from ${from})`;
const documents = (table: string) => sumOfRows("d.name, d.digest, d.xmin", `${table} d where d.tenant = $1`);

const PARTS: Readonly<Record<keyof Fingerprint, string>> = {
  settings: sumOfRows("t.id, t.xmin", "tenant t where t.id = $1"),
  policies: sumOfRows(
    "a.policy, a.version, a.xmin, v.digest, v.xmin",
    "active_policy a join policy_version v using (tenant, policy, version) where a.tenant = $1",
  ),
  rollout: sumOfRows(
    "r.id, r.xmin, v.policy, v.version, v.xmin",
    `policy_rollout r join policy_rollout_version v on v.tenant = r.tenant and v.rollout = r.id
      where r.tenant = $1 and r.ended_at is null`,
  ),
  tools: documents("tool"),
  agents: documents("agent"),
  // Freezing and thawing write the row, and no revision tells of it: the commits that charge read that themselves.
  budgets: sumOfRows("b.name, b.digest, b.document", "budget b where b.tenant = $1"),
  groups: documents("principal_group"),
  revocations: sumOfRows("r.id, r.xmin", "revocation r where r.tenant = $1 and r.lifted_at is null"),
};

// One statement, so that the revisions are of the same moment.
const FINGERPRINT = `select coalesce((select r.security from revision r where r.tenant = $1), 0)::text as security_revision,
  coalesce((select r.policy from revision r where r.tenant = $1), 0)::text as policy_revision,
  ${Object.entries(PARTS)
    .map(([name, text]) => `${text} as ${name}`)
    .join(",\n  ")}`;

type Row = Record<keyof Fingerprint | "security_revision" | "policy_revision", string>;

/** The tenant's rows as they stand: on a client within its transaction's snapshot, on a pool now. */
export async function readFingerprint(on: ClientBase | Pool, tenant: string): Promise<Fingerprinted> {
  const { rows } = await on.query<Row>({ name: "fingerprint", text: FINGERPRINT, values: [tenant] });
  const [row] = rows;
  if (!row) throw new Error("the fingerprint answered no row");
  const { security_revision: security, policy_revision: policy, ...fingerprint } = row;
  return { revisions: { security: BigInt(security), policy: BigInt(policy) }, fingerprint };
}
