import { type Amount, formatAmount } from "../foundation/amount.ts";
import { type Canonicalisable, canonical } from "../foundation/canonical.ts";
import { canonicalInSlices } from "../foundation/canonical-in-slices.ts";
import { type Clock, rfc3339, utcDay } from "../foundation/clock.ts";
import { digestBytes, digestedBytes, digestedInSlices, digestText } from "../foundation/digest.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { isHeavy } from "../foundation/weight.ts";
import type { Caller, Session } from "../identities/index.ts";
import { idempotencyKey, type NewRecord, type Seal } from "../ledger/index.ts";
import type { Snapshots } from "../policies/index.ts";
import { type Maker, NO_SESSION } from "./audit.ts";
import type { BreakerChange } from "./breaker-store.ts";
import { toldOfBudgets } from "./budget-change.ts";
import type { Applied, Change, ChangeRefusal, ChangeStore } from "./change-store.ts";
import { toldOfKeys } from "./key-change.ts";
import { toldOfPolicies } from "./policy-change.ts";
import { type Approved, toldOfApproved, toldOfProposal } from "./proposal.ts";
import type { NewRevocation } from "./revocation-store.ts";

/** Makes changes: each an entry of the ledger, in the same commit. */
export type MakeChange = (
  by: Maker,
  change: Change,
  traceId?: string,
  under?: Approved,
) => Promise<{ readonly ok: true; readonly value: Applied } | { readonly ok: false; readonly refusal: ChangeRefusal }>;

/** What an entry says of a change. Never a key: a hash of one is of no use to a reader either. */
function told(change: Change): Canonicalisable {
  switch (change.kind) {
    case "tenant_created":
      return { owner: shown(change.owner), quotas: { ...change.quotas } };
    case "tenant_set":
      return { ...change.set } as Canonicalisable;
    case "key_created":
      return { caller: shown(change.caller) };
    case "caller_sighted":
      return { caller: { id: change.caller.id, name: change.caller.name, ...change.caller.proof } };
    case "key_revoked":
      return { caller: change.callerId };
    case "agent_put":
    case "tool_put":
    case "budget_put":
    case "group_put":
      return { name: change.document.metadata.name, digest: digestText(change.digest), document: change.document };
    case "issuer_put":
      return { issuer: change.issuer } as Canonicalisable;
    case "binding_put":
      return { binding: change.binding } as Canonicalisable;
    case "issuers_deleted":
    case "bindings_deleted":
    case "tools_deleted":
    case "agents_deleted":
    case "budgets_deleted":
    case "groups_deleted":
      return { names: change.names };
    case "session_opened":
    case "session_delegated":
      return toldSession(change.session, change.budget);
    case "session_closed":
      return { session: change.sessionId };
    case "revoked":
      return toldOfRevoked(change.revocation);
    case "revocation_lifted":
      return { revocation: change.id, reason: change.reason };
    case "breaker_reset":
      return toldOfReset(change);
    case "budget_limit_set":
    case "account_limit_set":
    case "budget_frozen":
    case "budget_unfrozen":
    case "hold_resolved":
      return toldOfBudgets(change);
    case "policies_published":
    case "policies_validated":
    case "policies_activated":
    case "policies_deactivated":
    case "policies_rolled_back":
    case "rollout_started":
    case "rollout_share_set":
    case "rollout_promoted":
    case "rollout_aborted":
      return toldOfPolicies(change);
    case "change_proposed":
    case "change_approved":
    case "change_ended":
      return toldOfProposal(change);
    default:
      return toldOfKeys(change);
  }
}

function toldOfRevoked({ id, kind, subject, labels, reason }: NewRevocation): Canonicalisable {
  return { revocation: id, kind, subject, ...(kind === "labels" && { labels }), reason };
}

function toldOfReset({ reset: { id, run, agent, tool, reason } }: BreakerChange): Canonicalisable {
  return { reset: id, run, agent, ...(tool !== undefined && { tool }), reason };
}

/** A session as its entry tells of it: the accounts of those above it are told of where these were delegated. */
function toldSession({ ancestors, ...session }: Session, budget: readonly Amount[] | undefined): Canonicalisable {
  return {
    session: { ...session, ancestors: ancestors.map(({ given: _, ...link }) => link) },
    ...(budget && { budget: budget.map(({ unit, micros }) => ({ unit, value: formatAmount(micros) })) }),
  };
}

function shown(caller: Caller): Canonicalisable {
  const { id, name, roles, agents, mayAssertPrincipals, createdBy } = caller;
  return { id, name, roles, agents, may_assert_principals: mayAssertPrincipals, created_by: createdBy };
}

/** The tenant that a change is of, and whose ledger tells of it: its maker's own, unless it is of a tenant as such. */
export function tenantOf(by: Pick<Caller, "tenant">, change: Change): string {
  if (change.kind === "tenant_created") return change.owner.tenant;
  return change.kind === "tenant_set" || change.kind === "tenant_erased" ? change.tenant : by.tenant;
}

/** The session that a change is about, else none. */
function sessionOf(change: Change): string {
  if (change.kind === "session_opened" || change.kind === "session_delegated") return change.session.id;
  return change.kind === "session_closed" ? change.sessionId : NO_SESSION;
}

/** An entry as it is recorded. What changes a document, or very many names, is a text of megabytes: that is written in slices. */
async function writtenDown(entry: Canonicalisable, pause: Pause): Promise<ReturnType<typeof digestedBytes>> {
  if (!isHeavy(entry)) return digestedBytes("entry", canonical(entry));
  const text = await canonicalInSlices(entry, pause);
  await pause();
  const written = await digestedInSlices("entry", text, pause);
  // It is sealed in a turn of its own.
  await pause();
  return written;
}

export function createChanges(rooms: {
  readonly store: ChangeStore;
  readonly snapshots: Snapshots;
  readonly seal: Seal["seal"];
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
  /** Lets others be answered where there is much to write; absent: a turn of the event loop. */
  readonly pause?: Pause;
}): MakeChange {
  const { store, snapshots, seal, clock, newId, pause = turnOfTheLoop } = rooms;
  return async (by, change, traceId = "", under = undefined) => {
    const nowMs = clock.now();
    const id = newId(nowMs);
    const session = sessionOf(change);
    const tenant = tenantOf(by, change);
    const kind = change.kind.startsWith("session_") ? "session" : "admin";
    const said = {
      v: 1,
      kind,
      id,
      at: rfc3339(nowMs),
      tenant,
      caller: { id: by.id, name: by.name, ...(by.tenant !== tenant && { tenant: by.tenant }) },
      change: change.kind,
      ...(by.asked && { method: by.asked.method }),
      ...(traceId && { trace_id: traceId }),
      what: told(change),
      ...(under && { proposal: toldOfApproved(under) }),
    };
    const { digest, body } = await writtenDown(said, pause);
    const entry: NewRecord = {
      id,
      tenant,
      session,
      sessionDay: utcDay(nowMs),
      key: idempotencyKey(change.kind, id, 1),
      request: digestBytes("request", canonical({ change: id })),
      kind,
      securityRevision: snapshots.security(tenant),
      ...{ digest, body },
    };
    // What tells of an erasure stays readable: there is no key for it any more.
    const sealed = change.kind === "tenant_erased" ? entry : await seal(entry);
    const applied = await store.apply(tenant, change, sealed, under);
    if (applied.ok) by.asked?.told.add(tenant);
    // This process obeys its own change at once; the others hear of it by their poll, and so does this one when it
    // cannot read now: the change is made, and saying otherwise would lose a new key for ever.
    const silent = change.kind === "caller_sighted" || change.kind.startsWith("change_");
    if (applied.ok && kind === "admin" && !silent) {
      const obey = /^(?:policies|rollout)_/.test(change.kind) ? snapshots.refresh : snapshots.secured;
      await obey(tenant).catch(() => undefined);
    }
    return applied;
  };
}
