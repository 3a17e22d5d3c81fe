import type { Client, ClientBase } from "pg";
import { BrokenInvariant } from "../foundation/assert.ts";
import { Fault } from "../foundation/fault.ts";
import { CommitFailure, type NewRecord, type RecordRef } from "../ledger/index.ts";
import { HINTS } from "./change-feed.ts";
import { readCharged, shortsOf } from "./charge-columns.ts";
import { chargedQuery } from "./charged-statement.ts";
import { commitFailure } from "./commit-failure.ts";
import { inTransaction } from "./database.ts";
import { commitQuery, readCommitted } from "./ledger-statement.ts";
import type { SlowWriter } from "./slow-writer.ts";

/** A tenant's two counters. */
export interface Revision {
  readonly security: bigint;
  readonly policy: bigint;
}

export interface ChangeScope {
  readonly tenant: string;
  /** Which counter the change moves. */
  readonly bump: "security" | "policy" | "none";
  /** Whether it ends something: such changes have places of their own in the line. */
  readonly ending?: boolean;
  /** A record that the change makes besides its own: both are recorded, or nothing is changed. */
  readonly beside?: NewRecord;
  /** What the change was checked against. Refused with `revision_conflict` when either counter has moved since. */
  readonly expected?: Revision;
}

export interface Changed<Value> {
  readonly value: Value;
  readonly ref: RecordRef;
  /** After the change. */
  readonly revision: Revision;
}

/** Another change of the tenant committed first. */
export class RevisionMoved extends Fault {
  constructor(tenant: string) {
    super("aborted", "revision_conflict", `another change of ${tenant} came first`, { fix: "ask again" });
  }
}

function revisionConflict(expected: Revision, actual: Revision): Fault {
  const written = ({ security, policy }: Revision) => `security ${security}, policy ${policy}`;
  const message = `the tenant is at revision ${written(actual)}, not ${written(expected)}`;
  return new Fault("aborted", "revision_conflict", message, {
    fix: "look at what changed, and ask again with the new revision",
  });
}

async function readRevision(client: Client, { tenant, expected }: ChangeScope): Promise<Revision> {
  const { rows } = await client.query<{ security: string; policy: string }>(
    "select security::text, policy::text from revision where tenant = $1",
    [tenant],
  );
  const revision = { security: BigInt(rows[0]?.security ?? 0), policy: BigInt(rows[0]?.policy ?? 0) };
  if (expected && (expected.security !== revision.security || expected.policy !== revision.policy)) {
    throw revisionConflict(expected, revision);
  }
  return revision;
}

/**
 * The counter, last: its row is what all changes of a tenant share, so it is locked as shortly as can be. The rows of
 * this change carry the number already; when another change took it first, this one is made again. The commit hints to
 * those who poll; commits of records never do.
 */
async function takeRevision(client: Client, { tenant, bump, expected }: ChangeScope, before: Revision): Promise<void> {
  if (bump === "none") return;
  // A change that was checked against both counters is lost by a move of either.
  const other = bump === "security" ? "policy" : "security";
  const { rowCount } = await client.query(
    `with moved as (
       update revision set ${bump} = ${bump} + 1 where tenant = $1 and ${bump} = $2 and ($3 or ${other} = $4) returning tenant
     )
     select pg_notify('${HINTS}', '') from moved`,
    [tenant, before[bump], expected === undefined, before[other]],
  );
  if (rowCount !== 1) throw new RevisionMoved(tenant);
}

/** What an error of the record's statement means; a number that is taken must not pass for a name that is. */
function recordFailure(error: unknown): Error {
  const failure = commitFailure(error);
  if (failure.kind !== "poisoned") return failure;
  return new Fault("internal", "record_refused", "the store cannot hold the record of this change", {}, error);
}

/**
 * Changes that move a tenant's counter pass a gate, side by side. One that lost a race against another passes alone, or
 * it could lose for ever. The gate is taken before any row, so nobody waits in a circle.
 */
async function passGate(client: Client, { tenant, bump }: ChangeScope, alone: boolean): Promise<void> {
  if (bump === "none") return;
  const lock = alone ? "pg_advisory_xact_lock" : "pg_advisory_xact_lock_shared";
  await client.query(`select ${lock}(hashtextextended('remit_revision/' || $1, 0))`, [tenant]);
}

/** Why a record's hold or its accounts kept the change out. */
function notCharged(records: readonly NewRecord[], left: string | null, after: string | null): Error {
  const charged = readCharged(left, after);
  const at = records.findIndex((_, place) => charged.left.has(place));
  const why = charged.left.get(at) ?? [];
  if (why.some((one) => one.why === "gone")) {
    return new Fault(
      "conflict",
      "hold_gone",
      "the hold was ended meanwhile, or went on to another attempt of its call",
      {
        fix: "list the holds again",
      },
    );
  }
  const record = records[at];
  const [short] = record ? shortsOf(record, why, charged) : [];
  return new BrokenInvariant(`account ${short?.account} is ${short?.why} to a change that only gives back`);
}

/** Inserts the record of a change and what it makes besides: all, or it throws. Answers the greatest number. */
async function insertRecords(
  client: Client,
  slow: SlowWriter,
  { tenant }: ChangeScope,
  records: readonly NewRecord[],
  security: bigint,
): Promise<bigint> {
  const query = records.some(({ charge }) => charge) ? chargedQuery : commitQuery;
  const config = query(slow.epoch, slow.base, records);
  const { rows } = await client.query(config).catch((error) => {
    throw recordFailure(error);
  });
  const { inserted, greatest } = readCommitted(rows[0]);
  if (inserted === records.length && greatest !== null) return greatest;
  // The statement also leaves out what is older than the tenant's security revision, which others may have moved twice.
  const now = await readRevision(client, { tenant, bump: "none" });
  if (now.security > security) throw new RevisionMoved(tenant);
  const [, , , , left = null, after = null] = rows[0] ?? [];
  if (left) throw notCharged(records, left, after);
  throw new Fault("conflict", "already_recorded", "this change was recorded before");
}

/** What a run is about. `onCommit` hears what the transaction did just before its commit is sent. */
export interface Work<Value> {
  readonly scope: ChangeScope;
  readonly record: (revision: Revision) => NewRecord;
  readonly change: (client: ClientBase, revision: bigint) => Promise<Value>;
  /** Whether it lost a race before. */
  readonly alone: boolean;
}

export interface Made<Value> {
  readonly record: NewRecord;
  readonly changed: Changed<Value>;
}

/** The whole transaction. Until `onCommit` was called, whatever it throws, nothing was committed. */
export async function transact<Value>(
  client: Client,
  slow: SlowWriter,
  { scope, record: recordOf, change, alone }: Work<Value>,
  onCommit: (made: Made<Value>) => void,
): Promise<Changed<Value>> {
  return inTransaction(client, "read committed", async () => {
    await passGate(client, scope, alone);
    const living = await client.query("select from writer where writer = $1 and alive for no key update", [slow.epoch]);
    if (living.rowCount !== 1) throw new CommitFailure("fenced", `writer ${slow.epoch} was declared dead`);
    const before = await readRevision(client, scope);
    const { bump } = scope;
    const revision = bump === "none" ? before : { ...before, [bump]: before[bump] + 1n };
    const value = await change(client, revision[bump === "none" ? "policy" : bump]);
    const record = { ...recordOf(revision), securityRevision: revision.security };
    const beside = scope.beside ? [{ ...scope.beside, securityRevision: revision.security }] : [];
    // Numbered in this order, the change's own last.
    const n = await insertRecords(client, slow, scope, [...beside, record], revision.security);
    await takeRevision(client, scope, before);
    const changed = { value, ref: { epoch: slow.epoch, n }, revision };
    onCommit({ record, changed });
    return changed;
  });
}
