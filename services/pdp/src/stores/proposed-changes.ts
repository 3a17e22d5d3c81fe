import type { ClientBase } from "pg";
import type { Approved, Change, NewProposal, ProposalChange } from "../decisions/index.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { textParameter } from "./long-parameters.ts";
import { Refusal } from "./refusal.ts";

type Of<Kind extends ProposalChange["kind"]> = Extract<ProposalChange, { kind: Kind }>;

/*
 * The steps of a proposal inside their transactions. The triggers of migration 0016 hold the rules: what is refused
 * there is put into words here.
 */

async function propose(client: ClientBase, tenant: string, one: NewProposal, entry: string): Promise<void> {
  await client.query("select pg_advisory_xact_lock(hashtextextended('remit_proposals/' || $1, 0))", [tenant]);
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::int as count from change where tenant = $1 and state = 'proposed' and expires_at > now()",
    [tenant],
  );
  if ((rows[0]?.count ?? 0) >= limits.changesProposedMax) {
    throw new Fault("exhausted", "quota_exceeded", "too many proposed changes wait for approval", {
      limit: `${limits.changesProposedMax} proposed changes`,
      fix: "approve, reject or withdraw some: remit changes list --state proposed",
      retryable: false,
    });
  }
  const request = await textParameter(one.request);
  await client.query(
    `insert into change (id, tenant, request, digest, proposed_by, expires_at, entry, proven)
     values ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond', $7, $8)`,
    [one.id, tenant, request, Buffer.from(one.digest), one.by, one.waitsMs, entry, one.proven ?? null],
  );
}

async function approve(
  client: ClientBase,
  tenant: string,
  { proposal, by, digest, proven }: Omit<Of<"change_approved">, "kind">,
  entry: string,
): Promise<void> {
  await client.query(
    "insert into change_approval (tenant, change, approver, digest, entry, proven) values ($1, $2, $3, $4, $5, $6)",
    [tenant, proposal, by, Buffer.from(digest), entry, proven ?? null],
  );
}

async function end(client: ClientBase, values: readonly (string | null)[]): Promise<void> {
  const { rowCount } = await client.query(
    "update change set state = $3, ended_by = $4, ended_why = $5, ended_entry = $6 where tenant = $1 and id = $2",
    [...values],
  );
  if (rowCount !== 1) throw new Refusal("missing");
}

async function endProposed(
  client: ClientBase,
  tenant: string,
  { proposal, by, as, why }: Of<"change_ended">,
  entry: string,
): Promise<void> {
  await end(client, [tenant, proposal, as, by ?? null, why, entry]);
}

/** Does one step of a proposal inside its transaction. */
export async function changeProposal(
  client: ClientBase,
  tenant: string,
  change: ProposalChange,
  entry: string,
): Promise<[]> {
  switch (change.kind) {
    case "change_proposed":
      await propose(client, tenant, change.proposal, entry);
      return [];
    case "change_approved":
      await approve(client, tenant, change, entry);
      return [];
    case "change_ended":
      await endProposed(client, tenant, change, entry);
      return [];
  }
}

/** The last approval and the end of a proposal, just before its change is made in the same transaction. */
export async function applyProposed(
  client: ClientBase,
  tenant: string,
  change: Change,
  under: Approved,
  entry: string,
): Promise<void> {
  // Its row is locked before the proposal's, as strongly as it will be needed.
  const lock = change.kind === "tenant_set" ? "no key update" : "share";
  await client.query(`select from tenant where id = $1 for ${lock}`, [tenant]);
  const { id, digest, last, endedBy } = under;
  if (last) await approve(client, tenant, { proposal: id, by: last.id, digest, proven: last.proven }, entry);
  await end(client, [tenant, id, "applied", endedBy, "", entry]);
}

/** As `remit_same_hands` has it. */
const ONE_PERSON = "a key and whoever made it, directly or through other keys, are one person";

const samePerson = (message: string) =>
  new Fault("forbidden", "change_same_person", message, {
    fix: "ask somebody else, whose key neither of you has made for the other",
  });

function over(what: string): Fault {
  return new Fault("precondition", "change_over", `this change is no longer proposed: ${what}`, {
    field: "change_id",
    fix: "look at it: remit changes show; propose it again if it is still wanted",
  });
}

/** What the triggers raise, by the word that it begins with. */
function ofProposal(text: string): Fault {
  const [word = "", what = ""] = text.split(": ", 2);
  switch (word) {
    case "digest":
      return new Fault("precondition", "change_differs", "this is not what is proposed", {
        field: "digest",
        fix: "look at the proposal, and approve the digest that it has",
      });
    case "proposer":
      return what === "it is revoked"
        ? over("its proposer is revoked")
        : samePerson(
            `nobody approves their own change, and ${ONE_PERSON}: this is the proposer, or one of the two made the other's key`,
          );
    case "approver":
      return samePerson(what === "it is revoked" ? "the approver is revoked" : `${what}, and ${ONE_PERSON}`);
    default:
      return over(what);
  }
}

/** The fault that the database's guards raise, if it is one of theirs. */
export function ofGuard(error: unknown, tenant: string): Fault | undefined {
  const { code, message } = error as { code?: unknown; message?: string };
  switch (code) {
    case "RM001":
      return new Fault("precondition", "change_needs_approval", `tenant ${tenant}: ${message}`, {
        fix: "propose it: ChangeService.ProposeChange with this method and message; others approve it",
      });
    case "RM002":
      return new Fault("aborted", "revision_conflict", "what it would change is no longer as it was proposed", {
        fix: "look at what changed, and propose it again",
      });
    case "RM003":
      return ofProposal(message ?? "");
    default:
      return undefined;
  }
}
