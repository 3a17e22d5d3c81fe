import type { ClientBase } from "pg";
import type { Applied, PolicyChange } from "../decisions/index.ts";
import { jsonbParameter, textParameter } from "./long-parameters.ts";
import { VERSION_COLUMNS, VERSION_JOINS, type VersionRow, versionFrom } from "./policy-version-row.ts";
import { Refusal, touched } from "./refusal.ts";

type Of<Kind extends PolicyChange["kind"]> = Extract<PolicyChange, { kind: Kind }>;

// In one order everywhere: two changes of the same policies wait for each other instead of dead-locking.
const byName = <Named>(items: readonly Named[], nameOf: (item: Named) => string) =>
  [...items].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));

async function publish(
  client: ClientBase,
  tenant: string,
  { policies, by, draft }: Of<"policies_published">,
): Promise<Applied["versions"]> {
  const versions: Applied["versions"][number][] = [];
  for (const { document, source, digest } of byName(policies, ({ document: { metadata } }) => metadata.name)) {
    const { name } = document.metadata;
    const { language, rules } = document.spec;
    const [json, text] = [await jsonbParameter(document), await textParameter(source)];
    const inserted = await client.query(
      `insert into policy_version (tenant, policy, version, digest, document, source, language, rules, published_by, draft)
       select $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6, $7, $8, $9
         from policy_version where tenant = $1 and policy = $2
       on conflict (tenant, policy, digest) do nothing`,
      [tenant, name, Buffer.from(digest), json, text, language ?? "native", rules.length, by, draft],
    );
    if (!draft && inserted.rowCount === 0) {
      await client.query(`${VALIDATE} and digest = $3`, [tenant, name, Buffer.from(digest), by]);
    }
    const { rows } = await client.query<VersionRow>(
      `select ${VERSION_COLUMNS} from policy_version v ${VERSION_JOINS}
        where v.tenant = $1 and v.policy = $2 and v.digest = $3`,
      [tenant, name, Buffer.from(digest)],
    );
    const row = rows[0];
    if (!row) throw new Refusal("missing");
    versions.push({ ...versionFrom(row), created: inserted.rowCount === 1 });
  }
  return versions;
}

const VALIDATE = `update policy_version set validated_at = now(), validated_by = $4
  where tenant = $1 and policy = $2 and draft and validated_at is null`;

async function validate(client: ClientBase, tenant: string, { choices, by }: Of<"policies_validated">): Promise<void> {
  for (const { policy, version } of byName(choices, (choice) => choice.policy)) {
    await client.query(`${VALIDATE} and version = $3`, [tenant, policy, version, by]);
  }
}

/** What the history of what is in force is told by, for the rest of the transaction. */
async function tellHistory(client: ClientBase, by: string, cause: string): Promise<void> {
  await client.query("select set_config('remit.change_by', $1, true), set_config('remit.change_cause', $2, true)", [
    ...[by, cause],
  ]);
}

const CAUSES = {
  policies_activated: "activated",
  policies_rolled_back: "rolled_back",
  rollout_promoted: "promoted",
} as const;

async function activate(
  client: ClientBase,
  tenant: string,
  { choices, by, kind }: Of<keyof typeof CAUSES>,
  revision: bigint,
): Promise<void> {
  await tellHistory(client, by, CAUSES[kind]);
  for (const { policy, version } of byName<{ policy: string; version: number }>(choices, (choice) => choice.policy)) {
    await client.query(
      `insert into active_policy (tenant, policy, version, revision) values ($1, $2, $3, $4)
       on conflict (tenant, policy) do update
         set version = excluded.version, revision = excluded.revision, activated_at = now()`,
      [tenant, policy, version, revision],
    );
  }
}

async function deactivate(
  client: ClientBase,
  tenant: string,
  { policies, by }: Of<"policies_deactivated">,
): Promise<void> {
  await tellHistory(client, by, "activated");
  const { rowCount } = await client.query("delete from active_policy where tenant = $1 and policy = any($2)", [
    ...[tenant, policies],
  ]);
  if (rowCount !== policies.length) throw new Refusal("missing");
}

async function startRollout(
  client: ClientBase,
  tenant: string,
  { rollout, choices, shareBasisPoints, by }: Of<"rollout_started">,
  revision: bigint,
): Promise<void> {
  await client.query(
    "insert into policy_rollout (id, tenant, share, started_by, revision) values ($1, $2, $3, $4, $5)",
    [...[rollout, tenant, shareBasisPoints, by, revision]],
  );
  for (const { policy, version, from } of choices) {
    await client.query(
      "insert into policy_rollout_version (tenant, rollout, policy, version, base) values ($1, $2, $3, $4, $5)",
      [tenant, rollout, policy, version, from ?? null],
    );
  }
}

// Whether it takes several people is asked once all of it is written, and not first by the commit.
const GUARDED = "set constraints policy_rollout_guard, policy_rollout_version_guard immediate";

const LIVING = "where tenant = $1 and id = $2 and ended_at is null";

function endRollout(client: ClientBase, tenant: string, id: string, by: string, as: string, revision: bigint) {
  return touched(
    client,
    `update policy_rollout set ended_at = now(), ended_by = $3, ended_as = $4, revision = $5 ${LIVING}`,
    [tenant, id, by, as, revision],
  );
}

/** Does one change of versions inside its transaction. */
export async function changePolicies(
  client: ClientBase,
  tenant: string,
  change: PolicyChange,
  revision: bigint,
): Promise<Applied["versions"]> {
  switch (change.kind) {
    case "policies_published":
      return publish(client, tenant, change);
    case "policies_validated":
      await validate(client, tenant, change);
      return [];
    case "policies_activated":
    case "policies_rolled_back":
      await activate(client, tenant, change, revision);
      return [];
    case "policies_deactivated":
      await deactivate(client, tenant, change);
      return [];
    case "rollout_started":
      await startRollout(client, tenant, change, revision);
      await client.query(GUARDED);
      return [];
    case "rollout_share_set":
      await touched(client, `update policy_rollout set share = $3, share_set_at = now(), revision = $4 ${LIVING}`, [
        ...[tenant, change.rollout, change.shareBasisPoints, revision],
      ]);
      await client.query(GUARDED);
      return [];
    case "rollout_promoted":
      await endRollout(client, tenant, change.rollout, change.by, "promoted", revision);
      await activate(client, tenant, change, revision);
      return [];
    case "rollout_aborted":
      await endRollout(client, tenant, change.rollout, change.by, "aborted", revision);
      return [];
  }
}
