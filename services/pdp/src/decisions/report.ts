import type { Clock } from "../foundation/clock.ts";
import { utcDay } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import { type Ledger, type RecordRef, type StoredRecord, uncharged } from "../ledger/index.ts";
import type { Snapshots } from "../policies/index.ts";
import { type Asker, judgedUnder, type Outcome, type Told, type WhoAsks } from "./ask.ts";
import { byCallId, type CallName } from "./call.ts";
import { aliasedName, createCalls } from "./calls.ts";
import type { Decision } from "./decision.ts";
import { REPORT_WITHIN_MS } from "./entry.ts";
import { revokedSince } from "./judge.ts";
import { bodyOf, storedDecision } from "./replay.ts";
import { draftReport, matches, ranUnallowed, type Subject, settlingKey } from "./report-entry.ts";

const TRIES_MAX = 5;

/** What a report was answered. */
export interface Reported {
  /** Empty when the call had never been decided. */
  readonly decisionId: string;
  readonly replayed: boolean;
  /** The outcome that stands. */
  readonly outcome: Outcome;
  readonly reportByMs: number | undefined;
  readonly record: RecordRef;
  /** False when what ran is not what was decided. */
  readonly inputMatches: boolean;
}

/** What a report is about, and what its call is known by where it names the call. */
interface About {
  readonly decision: Subject;
  readonly name: CallName | undefined;
}

const outcomeOf = (report: StoredRecord) => bodyOf(report).outcome as Outcome;

/** What stands of a call that was reported on: the first outcome that settles it, else that it is unknown, or at work. */
export function firstOutcome(reports: readonly StoredRecord[]): Outcome | undefined {
  // What the caller of another id of the same business key gave up settles nothing.
  const told = reports.filter((report) => !bodyOf(report).of_another_id).map(outcomeOf);
  return (
    told.find((outcome) => outcome !== "running" && outcome !== "unknown") ??
    told.find((outcome) => outcome === "unknown") ??
    told[0]
  );
}

/** Until when a report on a decision is in time: what it said, or the last report that the call still runs. */
export function reportEndsMs({ body }: Decision, reports: readonly StoredRecord[]): number {
  const said = reports.map((report) => bodyOf(report).report_by).filter((text) => typeof text === "string");
  return Math.max(...[body.report_by, ...said].map((text) => Date.parse(text ?? body.at)));
}

function unknownDecision(field: string): Fault {
  return new Fault("missing", "decision_unknown", "there is no such decision in this session", {
    field,
    fix: "report with the id that Decide answered and the session that asked",
  });
}

/** Refuses a report of another caller than the one that asked: a report may release what was held for it. */
function requireSameCaller(decision: Decision, { caller }: Asker): void {
  if (decision.askedBy === caller.id) return;
  throw new Fault("forbidden", "report_not_yours", "this decision was asked for by another caller", {
    field: "authorization",
    fix: "report with the API key that asked",
  });
}

export interface ReportRooms {
  readonly snapshots: Snapshots;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
  /** Called when what ran is not what was decided, was never allowed, or was given up before: a critical event. */
  readonly onMismatch: (tenant: string, decisionId: string) => void;
  /** Called when a report came after its time. */
  readonly onLate: () => void;
}

const answer = (told: Told, decision: Subject, record: RecordRef, more: Partial<Reported>): Reported => ({
  decisionId: decision?.body.id ?? "",
  replayed: false,
  outcome: told.outcome,
  reportByMs: undefined,
  inputMatches: matches(told, decision),
  ...more,
  record: { epoch: record.epoch, n: record.n },
});

/** Takes reports: at least once, idempotent, on any replica. The first settling report of a call stands. */
export function createReport(rooms: ReportRooms): (who: WhoAsks, told: Told) => Promise<Reported> {
  const { snapshots, ledger, clock, newId } = rooms;
  const calls = createCalls(ledger);

  const byDecision = async (id: string, { session }: Asker): Promise<About> => {
    const found = await ledger.findById(session.tenant, id);
    if (found?.kind !== "decision" || found.session !== session.id) throw unknownDecision("decision_id");
    return { decision: storedDecision(found), name: undefined };
  };

  /** The latest attempt of a call. */
  const byCall = async (callId: string, outcome: Outcome, { session }: Asker): Promise<About> => {
    const under = await calls.underId(session, callId);
    const name = under?.kind === "alias" ? aliasedName(under) : byCallId(callId);
    const attempts = under ? await calls.attempts(session, name, under.kind === "alias" ? 1 : 2) : [];
    const last = [under, ...attempts].findLast((record) => record?.kind === "decision");
    if (last) return { decision: storedDecision(last), name };
    // A Decide whose answer never came may never have arrived, or no further than its alias: saying that nothing ran is
    // always right.
    if (outcome !== "not_executed") throw unknownDecision("call_id");
    return { decision: undefined, name };
  };

  const subjectOf = ({ subject, outcome }: Told, asker: Asker): Promise<About> =>
    "decisionId" in subject ? byDecision(subject.decisionId, asker) : byCall(subject.callId, outcome, asker);

  /** The report that settled the decision already, for one that would leave it open. */
  const settledBefore = async (told: Told, decision: Subject, { session }: Asker) => {
    if (!decision || (told.outcome !== "running" && told.outcome !== "unknown")) return null;
    const keys = [settlingKey(decision)];
    return (await ledger.findByKeys(session.tenant, session.id, utcDay(session.openedAtMs), keys))[0] ?? null;
  };

  const isLate = async (decision: Subject, { session }: Asker, nowMs: number): Promise<boolean> => {
    if (!decision?.body.report_by || nowMs <= Date.parse(decision.body.report_by)) return false;
    const reports = await ledger.findBySubject(session.tenant, decision.body.id);
    return nowMs > reportEndsMs(decision, reports);
  };

  /** The report that stands. What ran although another had said that nothing would is told, since no entry tells it. */
  const replay = ({ session }: Asker, told: Told, decision: Subject, stands: StoredRecord): Reported => {
    const outcome = outcomeOf(stands);
    if (outcome === "not_executed" && told.outcome !== outcome) {
      rooms.onMismatch(session.tenant, decision?.body.id ?? "");
    }
    return answer(told, decision, stands, { replayed: true, outcome });
  };

  /** Records a report; null when it has to be looked at anew. */
  const tell = async (asker: Asker, told: Told): Promise<Reported | null> => {
    const { tenant } = asker.session;
    const { decision, name } = await subjectOf(told, asker);
    if (decision) requireSameCaller(decision, asker);
    const settled = await settledBefore(told, decision, asker);
    if (settled) return replay(asker, told, decision, settled);
    const nowMs = clock.now();
    const late = await isLate(decision, asker, nowMs);
    const reportByMs = told.outcome === "running" ? nowMs + REPORT_WITHIN_MS : undefined;
    const snapshot = await snapshots.current(tenant);
    const security = judgedUnder(asker, snapshot.revisions);
    const revoked = decision && revokedSince(snapshot, asker.session, decision, nowMs);
    const received = { id: newId(nowMs), nowMs, late, reportByMs, security, name, revoked };
    const recorded = uncharged(await ledger.record(draftReport(told, asker, decision, received)));
    if (recorded.outcome === "stale") {
      await snapshots.secured(tenant);
      return null;
    }
    // Its call was decided at the same moment: the report is about that decision.
    if (recorded.outcome === "reused") return null;
    if (!matches(told, decision) || ranUnallowed(told, decision)) rooms.onMismatch(tenant, decision?.body.id ?? "");
    if (recorded.outcome === "existing") return replay(asker, told, decision, recorded.record);
    if (late) rooms.onLate();
    return answer(told, decision, recorded.ref, { reportByMs });
  };

  return async (who, told) => {
    for (let tried = 0; tried < TRIES_MAX; tried++) {
      const reported = await tell(await who(), told);
      if (reported) return reported;
    }
    throw new Fault("unavailable", "ledger_unavailable", "the report could not be recorded", { fix: "report again" });
  };
}
