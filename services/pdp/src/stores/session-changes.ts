import type { ClientBase } from "pg";
import type { Change } from "../decisions/index.ts";
import type { Amount } from "../foundation/amount.ts";
import { limits } from "../foundation/limits.ts";
import type { Session } from "../identities/index.ts";
import type { Quotas } from "../policies/index.ts";
import { Refusal, touched } from "./refusal.ts";
import { refuseTooManySessions } from "./tenant-guard.ts";

async function insertSession(client: ClientBase, session: Session): Promise<void> {
  const { id, tenant, agent, principal, purpose, scope, labels, runId, openedAtMs, expiresAtMs, openedBy } = session;
  await client.query(
    `insert into session (id, tenant, agent, principal_id, principal_verified, principal_labels, purpose, scope, labels,
                          run_id, opened_at, expires_at, opened_by, details, parent, depth, principal_issuer,
                          act)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
    [
      ...[id, tenant, agent, principal.id, principal.verified, JSON.stringify(principal.labels), purpose],
      ...[scope ? JSON.stringify(scope) : null, JSON.stringify(labels), runId ?? null],
      ...[new Date(openedAtMs), new Date(expiresAtMs), openedBy, JSON.stringify(session.details)],
      ...[session.parent ?? null, session.depth],
      ...[session.principalIssuer ?? null, session.act ? JSON.stringify(session.act) : null],
    ],
  );
}

/**
 * Refuses a delegation under a session that has ended, and keeps all of them as they are until it is made: one that is
 * closed at the same time is closed before, or closes this one too.
 */
async function lockOpenAbove(client: ClientBase, { tenant, ancestors }: Session): Promise<void> {
  const { rowCount } = await client.query(
    `select from session where tenant = $1 and id = any($2::uuid[]) and state = 'open' order by depth for share`,
    [tenant, ancestors.map(({ id }) => id)],
  );
  if (rowCount !== ancestors.length) throw new Refusal("missing");
}

/**
 * Closes what was delegated from a session that was just closed. It has ended already, whatever its own row says; this
 * is so that it no longer counts as open, and is heard of by its own id. In order, against those who close a parent.
 */
async function closeBelow(client: ClientBase, tenant: string, sessionId: string): Promise<void> {
  await client.query(
    `with recursive below as (
       select id, depth from session where tenant = $1 and parent = $2
       union all
       select s.id, s.depth from below b join session s on s.tenant = $1 and s.parent = b.id and s.depth > b.depth
     ), open as (
       select s.id from session s join below b on b.id = s.id
        where s.tenant = $1 and s.state = 'open' order by b.depth, s.id limit $3 for update of s
     )
     update session set state = 'closed', closed_at = now()
       from open where session.tenant = $1 and session.id = open.id`,
    [tenant, sessionId, limits.delegationsClosedMax],
  );
}

/** Opens the accounts of what a session is given to spend. */
async function openAccounts(client: ClientBase, { id, tenant }: Session, budget: readonly Amount[]): Promise<void> {
  for (const { unit, micros } of budget.toSorted((one, other) => (one.unit < other.unit ? -1 : 1))) {
    await client.query("select remit_open_session_account($1, $2, $3, $4)", [tenant, id, unit, micros]);
  }
}

export async function changeSession(
  client: ClientBase,
  tenant: string,
  change: Extract<Change, { readonly kind: `session_${string}` }>,
  quotas: Quotas,
): Promise<void> {
  if (change.kind === "session_closed") {
    // Closing twice is closing once; the first close stands.
    await touched(
      client,
      `update session set state = 'closed', closed_at = coalesce(closed_at, now())
        where tenant = $1 and id = $2 and state in ('open', 'closed')`,
      [tenant, change.sessionId],
    );
    await closeBelow(client, tenant, change.sessionId);
    return;
  }
  await refuseTooManySessions(client, tenant, quotas);
  if (change.kind === "session_delegated") await lockOpenAbove(client, change.session);
  await insertSession(client, change.session);
  await openAccounts(client, change.session, change.budget ?? []);
}
