import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import type { Ledger, StoredRecord } from "../ledger/index.ts";
import { type Snapshot, type Snapshots, STALE_ANY_MS, STALE_WRITE_MS, stalePolicy } from "../policies/index.ts";
import type { Ask, WhoAsks } from "./ask.ts";
import { type Decision, revisionNumber } from "./decision.ts";
import { draftDecision } from "./entry.ts";
import { barred, judge } from "./judge.ts";
import { answerAgain, mayStart, storedDecision } from "./replay.ts";
import { firstOutcome } from "./report.ts";

/** A decision outrun by a security change this many times in a row is given up. */
const TRIES_MAX = 5;

export interface DecideRooms {
  readonly snapshots: Snapshots;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
}

/** Tools known to do no more than read may be decided on somewhat older policies; the rest may not. */
function refuseStale(snapshots: Snapshots, snapshot: Snapshot, tool: string): void {
  const stalenessMs = snapshots.stalenessMs(snapshot.tenant);
  const reads = snapshot.tools.get(tool)?.document.spec.risk === "read";
  if (stalenessMs > (reads ? STALE_ANY_MS : STALE_WRITE_MS)) throw stalePolicy(stalenessMs);
}

/** The snapshot to decide by, at least as new as the caller asks. */
async function snapshotFor(snapshots: Snapshots, tenant: string, ask: Ask): Promise<Snapshot> {
  const held = await snapshots.current(tenant);
  if (revisionNumber(held.revisions) >= ask.minRevision) return held;
  const newer = await snapshots.refresh(tenant);
  if (revisionNumber(newer.revisions) >= ask.minRevision) return newer;
  throw new Fault("unavailable", "stale_policy", `revision ${ask.minRevision} has not been reached`, {
    field: "min_revision",
    limit: `${revisionNumber(newer.revisions)}`,
    fix: "ask for a revision that an answer named",
  });
}

function callIdReused(callId: string): Fault {
  return new Fault("conflict", "call_id_reused", `call ${callId} was asked before with another tool or input`, {
    field: "call_id",
    fix: "give every call of a session an id of its own",
  });
}

/**
 * Decides one call. The order of these steps is the safety argument:
 * who asks → under which policies → the verdict → its record → the answer.
 * Nothing is answered before it is recorded; what was judged before a security change is judged again.
 */
export function createDecide(rooms: DecideRooms): (who: WhoAsks, ask: Ask) => Promise<Decision> {
  const { snapshots, ledger, clock, newId } = rooms;

  /** What stands in the way now of a call that was allowed before. The commit did not ask: it recorded nothing. */
  const barredNow = async (who: WhoAsks) => {
    const asker = await who(true);
    const { tenant } = asker.session;
    const held = await snapshots.current(tenant);
    const snapshot = asker.security > held.revisions.security ? await snapshots.refresh(tenant) : held;
    return barred(snapshot, asker, clock.now());
  };

  const again = async (who: WhoAsks, record: StoredRecord): Promise<Decision> => {
    const decision = storedDecision(record);
    if (!mayStart(decision)) return decision;
    const bar = await barredNow(who);
    const reports = await ledger.findBySubject(record.tenant, record.id);
    return answerAgain(decision, firstOutcome(reports), clock.now(), bar);
  };

  return async (who, ask) => {
    for (let tried = 0; tried < TRIES_MAX; tried++) {
      const asker = await who();
      const { tenant } = asker.session;
      const snapshot = await snapshotFor(snapshots, tenant, ask);
      refuseStale(snapshots, snapshot, ask.tool);

      const nowMs = clock.now();
      const judged = judge(snapshot, asker, ask, 1, nowMs);
      const draft = draftDecision(newId(nowMs), asker, ask, judged, snapshot, nowMs);
      const recorded = await ledger.record(draft.record, { withinMs: ask.withinMs });

      switch (recorded.outcome) {
        case "inserted":
          return { ...draft, record: recorded.ref, replayed: false };
        case "existing":
          return again(who, recorded.record);
        case "reused":
          throw callIdReused(ask.callId);
        case "stale":
          await snapshots.refresh(tenant);
      }
    }
    throw new Fault("unavailable", "stale_policy", "the tenant's security settings kept changing", {
      fix: "ask again with the same call_id",
    });
  };
}
