import type { PolicyDocument } from "@remit/engine";
import type { Pool } from "pg";
import { digestText } from "../foundation/digest.ts";
import { mapInSlices, type Pause } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { ActivePolicy, PastActivation, PolicyStore, Registered } from "../policies/index.ts";
import { documentRows } from "./document-rows.ts";
import { IS_DRAFT, VERSION_COLUMNS, VERSION_JOINS, type VersionRow, versionFrom } from "./policy-version-row.ts";

/** As much of a policy's history as is looked back through. */
const HISTORY_ROWS_MAX = 1000;

/** A document as its row holds it. */
export interface DocumentRow<Document> {
  readonly document: Document;
  readonly digest: Buffer;
}

export function registered<Document>({ document, digest }: DocumentRow<Document>): Registered<Document> {
  return { document, digest: digestText(digest) };
}

export type ActiveRow = DocumentRow<PolicyDocument> & { readonly version: number };

export const active = (row: ActiveRow): ActivePolicy => ({ ...registered(row), version: row.version });

/** The versions of policies and what was in force of them, read from Postgres. */
export function policyVersions(
  pool: Pool,
  pause: Pause,
): Pick<PolicyStore, "versions" | "versionsInForce" | "versionsAfter" | "documents" | "history"> {
  return {
    async versions(tenant) {
      const rows = await documentRows<VersionRow>(
        pool,
        `select ${VERSION_COLUMNS} from policy_version v ${VERSION_JOINS}
          where v.tenant = $1 order by v.policy, v.version`,
        [tenant],
      );
      return mapInSlices(rows, turnOfTheLoop, versionFrom);
    },
    async versionsInForce(tenant) {
      const rows = await documentRows<VersionRow>(
        pool,
        `select ${VERSION_COLUMNS} from policy_version v ${VERSION_JOINS}
          where v.tenant = $1 and a.version = v.version order by v.policy`,
        [tenant],
      );
      return mapInSlices(rows, turnOfTheLoop, versionFrom);
    },
    async versionsAfter(tenant, after, most) {
      const rows = await documentRows<VersionRow>(
        pool,
        `select ${VERSION_COLUMNS} from (
           select * from policy_version p
            where p.tenant = $1 and ($2::text is null or (p.policy, p.version) > ($2, $3))
            order by p.policy, p.version limit $4) v ${VERSION_JOINS}
          order by v.policy, v.version`,
        [tenant, after?.policy ?? null, after?.version ?? null, most],
      );
      return mapInSlices(rows, turnOfTheLoop, versionFrom);
    },
    async documents(tenant, choices) {
      const rows = await documentRows<ActiveRow & { readonly draft: boolean }>(
        pool,
        `select distinct on (v.policy) v.document, v.digest, v.version, ${IS_DRAFT} as draft
           from unnest($2::text[], $3::int[]) as choice(policy, version)
           join policy_version v on v.tenant = $1 and v.policy = choice.policy
                and (choice.version = 0 or v.version = choice.version)
          order by v.policy, ${IS_DRAFT}, v.version desc`,
        [tenant, choices.map(({ policy }) => policy), choices.map(({ version }) => version)],
        pause,
      );
      return rows.map((row) => ({ ...active(row), draft: row.draft }));
    },
    async history(tenant, names) {
      const { rows } = await pool.query<PastActivation>(
        `select policy, version, cause, living
           from (select policy, version, cause, until is null as living, id,
                        row_number() over (partition by policy order by id desc) as back
                   from policy_activation where tenant = $1 and policy = any($2)) as past
          where back <= $3 order by policy, id`,
        [tenant, names, HISTORY_ROWS_MAX],
      );
      return rows;
    },
  };
}
