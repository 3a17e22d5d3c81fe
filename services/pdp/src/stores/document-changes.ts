import type { ClientBase } from "pg";
import { type Change, documentTables } from "../decisions/index.ts";
import type { Quotas } from "../policies/index.ts";
import { jsonbParameter, textParameter } from "./long-parameters.ts";
import { Refusal } from "./refusal.ts";
import { refuseTooManyDocuments } from "./tenant-guard.ts";

type Put = Extract<Change, { kind: "agent_put" | "tool_put" | "budget_put" | "group_put" }>;
type Deleted = Extract<Change, { kind: "agents_deleted" | "tools_deleted" | "budgets_deleted" | "groups_deleted" }>;

/** Puts one document in the place of what had its name. */
export async function putDocument(
  client: ClientBase,
  tenant: string,
  { kind, document, source, digest }: Put,
  revision: bigint,
  quotas: Quotas,
): Promise<void> {
  const table = documentTables[kind];
  const [json, text] = [await jsonbParameter(document), await textParameter(source)];
  const { rows } = await client.query<{ created: boolean }>(
    `insert into ${table} (tenant, name, document, source, digest, revision) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant, name) do update
       set document = excluded.document, source = excluded.source, digest = excluded.digest, revision = excluded.revision
     returning xmax = 0 as created`,
    [tenant, document.metadata.name, json, text, Buffer.from(digest), revision],
  );
  if (rows[0]?.created) await refuseTooManyDocuments(client, table, tenant, quotas);
}

/** Names of one statement: writing it for the server is some tenths of a millisecond. */
const NAMES_AT_ONCE = 1_000;

/** Deletes documents by name: all of them, or none where one is not there. */
export async function deleteDocuments(client: ClientBase, tenant: string, { kind, names }: Deleted): Promise<void> {
  const text = `delete from ${documentTables[kind]} where tenant = $1 and name = any($2)`;
  for (let from = 0; from < names.length; from += NAMES_AT_ONCE) {
    const some = names.slice(from, from + NAMES_AT_ONCE);
    const { rowCount } = await client.query(text, [tenant, some]);
    if (rowCount !== some.length) throw new Refusal("missing");
  }
}
