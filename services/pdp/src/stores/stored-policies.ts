import type { PolicyDocument } from "@remit/engine";
import type { Pool } from "pg";
import type { Pause } from "../foundation/in-slices.ts";
import type { PolicyStore, StoredPage, StoredPolicy, VersionPlace } from "../policies/index.ts";
import { documentRows } from "./document-rows.ts";
import { VERSION_COLUMNS, VERSION_JOINS, type VersionRow, versionFrom } from "./policy-version-row.ts";

interface StoredRow extends VersionRow {
  readonly document: PolicyDocument;
  readonly source: string;
}

const stored = (row: StoredRow): StoredPolicy => {
  const { document, source } = row;
  return { version: versionFrom(row), document, source };
};

// What a version takes, without reading it: what its author wrote, and the document as it is kept.
const HEAD = "v.policy, v.version, octet_length(v.source) + pg_column_size(v.document) as bytes";

const CHOSEN = `
  from unnest($2::text[], $3::int[]) with ordinality as choice(policy, version, place)
  cross join lateral (
    select * from policy_version p
     where p.tenant = $1 and p.policy = choice.policy and (choice.version = 0 or p.version = choice.version)
     order by p.version desc limit 1) v`;

const CHOSEN_HEADS = `select choice.place, ${HEAD} ${CHOSEN}`;

const HEADS_IN_FORCE = `
  select row_number() over (order by v.policy) as place, ${HEAD}
    from active_policy a join policy_version v using (tenant, policy, version)
   where a.tenant = $1 and ($2::text is null or v.policy > $2) order by v.policy limit $3`;

/** All heads, and beside the first of them what they are of: as long as what comes before is less than a page. */
const paged = (heads: string) => `
  with head as (${heads}),
       page as (select *, coalesce(sum(bytes) over before, 0) < $4 as whole from head
                window before as (order by place rows between unbounded preceding and 1 preceding))
  select page.policy as head_policy, page.version as head_version, ${VERSION_COLUMNS}, v.document, v.source
    from page
    left join policy_version v
           on page.whole and v.tenant = $1 and v.policy = page.policy and v.version = page.version
    ${VERSION_JOINS}
   order by page.place`;

type PageRow = { readonly head_policy: string; readonly head_version: number } & (
  | StoredRow
  | { readonly [Column in keyof StoredRow]: null }
);

function pageFrom(rows: readonly PageRow[]): StoredPage {
  const heads = rows.map((row) => ({ policy: row.head_policy, version: row.head_version }));
  return { heads, stored: rows.flatMap((row) => (row.document === null ? [] : [stored(row)])) };
}

const columnsOf = (choices: readonly VersionPlace[]) => [
  choices.map(({ policy }) => policy),
  choices.map(({ version }) => version),
];

/** Versions of policies with their documents, read from Postgres. */
export function storedPolicies(pool: Pool, pause: Pause): Pick<PolicyStore, "stored" | "storedPage" | "inForcePage"> {
  return {
    async stored(tenant, choices) {
      const rows = await documentRows<StoredRow>(
        pool,
        `select ${VERSION_COLUMNS}, v.document, v.source ${CHOSEN} ${VERSION_JOINS} order by choice.place`,
        [tenant, ...columnsOf(choices)],
        pause,
      );
      return rows.map(stored);
    },
    async storedPage(tenant, choices, bytesMax) {
      const values = [tenant, ...columnsOf(choices), bytesMax];
      return pageFrom(await documentRows<PageRow>(pool, paged(CHOSEN_HEADS), values, pause));
    },
    async inForcePage(tenant, after, most, bytesMax) {
      const values = [tenant, after ?? null, most, bytesMax];
      return pageFrom(await documentRows<PageRow>(pool, paged(HEADS_IN_FORCE), values, pause));
    },
  };
}
