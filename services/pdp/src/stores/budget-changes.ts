import type { ClientBase } from "pg";
import type { BudgetChange, Change } from "../decisions/index.ts";
import { Refusal, touched } from "./refusal.ts";

type Of<Kind extends BudgetChange["kind"]> = Extract<BudgetChange, { kind: Kind }>;

const KINDS: ReadonlySet<Change["kind"]> = new Set([
  "budget_limit_set",
  "account_limit_set",
  "budget_frozen",
  "budget_unfrozen",
  "hold_resolved",
]);

export const isBudgetChange = (change: Change): change is BudgetChange => KINDS.has(change.kind);

/** A declaration with another limit in the place of the one that was looked at. */
async function setLimit(
  client: ClientBase,
  tenant: string,
  { document, source, digest, was }: Of<"budget_limit_set">,
  revision: bigint,
): Promise<void> {
  const { rowCount } = await client.query(
    `update budget set document = $3, source = $4, digest = $5, revision = $6
      where tenant = $1 and name = $2 and 'sha256:' || encode(digest, 'hex') = $7`,
    [tenant, document.metadata.name, JSON.stringify(document), source, Buffer.from(digest), revision, was],
  );
  if (rowCount !== 1) throw new Refusal("revision_conflict");
}

/** What was held and spent under the limit before stays in bounds: the ceiling falls as money comes back. */
async function setAccountLimit(
  client: ClientBase,
  tenant: string,
  { account, limitMicros, ownMicros }: Of<"account_limit_set">,
): Promise<void> {
  const { rowCount } = await client.query(
    `update account a set own_limit = $3::bigint,
        ceiling = greatest($3::bigint, case when hard then least(ceiling, held + posted) else held + posted end,
          case when $3::bigint is null then (select b.limit_micros from budget b where b.tenant = a.tenant and b.name = a.budget) end)
      where tenant = $1 and id = $2 and own_limit is not distinct from $4::bigint and closes_at > now()`,
    [
      tenant,
      String(account),
      limitMicros === null ? null : String(limitMicros),
      ownMicros === null ? null : String(ownMicros),
    ],
  );
  if (rowCount !== 1) throw new Refusal("revision_conflict");
}

async function setFrozen(
  client: ClientBase,
  tenant: string,
  { kind, target, by, reason }: Of<"budget_frozen" | "budget_unfrozen">,
): Promise<void> {
  const [table, column, value] =
    "budget" in target ? ["budget", "name", target.budget] : ["account", "id", String(target.account)];
  const freezes = kind === "budget_frozen";
  const why = table === "account" ? (freezes ? ", frozen_why = 'administrator'" : ", frozen_why = null") : "";
  const set = freezes
    ? `frozen = true, frozen_at = now(), frozen_by = $3, freeze_reason = $4${why}`
    : `frozen = false, frozen_at = null, frozen_by = null, freeze_reason = null${why}`;
  const values = freezes ? [tenant, value, by, reason] : [tenant, value];
  const { rowCount } = await client.query(
    `update ${table} set ${set} where tenant = $1 and ${column} = $2 and frozen = ${!freezes}`,
    values,
  );
  if (rowCount !== 1) throw new Refusal("revision_conflict");
}

/** Does one of the changes of operators inside its transaction. What ends a hold is recorded with it. */
export async function changeBudgets(
  client: ClientBase,
  tenant: string,
  change: BudgetChange,
  revision: bigint,
): Promise<void> {
  switch (change.kind) {
    case "budget_limit_set":
      return setLimit(client, tenant, change, revision);
    case "account_limit_set":
      return setAccountLimit(client, tenant, change);
    case "budget_frozen":
    case "budget_unfrozen":
      return setFrozen(client, tenant, change);
    case "hold_resolved": {
      const { hold, decision, as, by, reason, ending } = change;
      return touched(
        client,
        `insert into hold_resolution (tenant, hold, decision, released, reason, resolved_by, ending)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [tenant, hold, decision, as === "released", reason, by, ending.id],
      );
    }
  }
}
