import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import type { Ledger, RecordRef, Short, StoredRecord } from "../ledger/index.ts";
import type { Snapshot, Snapshots } from "../policies/index.ts";
import { type Asker, judgedUnder, type Outcome, type Told, type WhoAsks } from "./ask.ts";
import type { CallName } from "./call.ts";
import type { Charging } from "./charging.ts";
import type { ReportedOn } from "./decision.ts";
import { REPORT_WITHIN_MS } from "./entry.ts";
import { revokedSince } from "./judge.ts";
import { noRecentDecisions, type RecentDecisions } from "./recent.ts";
import { bodyOf } from "./replay.ts";
import { draftReport, isOfAnotherId, matches, ranUnallowed, type Subject } from "./report-entry.ts";
import { createSubjects } from "./report-subject.ts";
import { correctionOf, settlementOf, withoutOverage } from "./settling.ts";
import type { Unheld } from "./unheld.ts";

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
  /** Units in which it cost something that no budget counts. */
  readonly unsettled: readonly string[];
}

const outcomeOf = (report: StoredRecord) => bodyOf(report).outcome as Outcome;

/** What stands of a call that was reported on: the first outcome that settles it, else that it is unknown, or at work. */
export function firstOutcome(reports: readonly StoredRecord[]): Outcome | undefined {
  // What the caller of another id of the same business key gave up settles nothing.
  // Nor does it say anything of a call that its hold ran out.
  const told = reports.filter(({ kind }) => kind === "report");
  const own = told.filter((report) => !bodyOf(report).of_another_id).map(outcomeOf);
  return (
    own.find((outcome) => outcome !== "running" && outcome !== "unknown") ??
    own.find((outcome) => outcome === "unknown") ??
    own[0]
  );
}

/** Until when a report on a decision is in time: what it said, or the last report that the call still runs. */
export function reportEndsMs({ body }: ReportedOn, reports: readonly StoredRecord[]): number {
  const said = reports.map((report) => bodyOf(report).report_by).filter((text) => typeof text === "string");
  return Math.max(...[body.report_by, ...said].map((text) => Date.parse(text ?? body.at)));
}

/** Refuses a report of another caller than the one that asked: a report may release what was held for it. */
function requireSameCaller(decision: ReportedOn, { caller }: Asker): void {
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
  readonly charging: Pick<Charging, "heard" | "storeAheadMs" | "unheld">;
  /** Absent: every decision is read. */
  readonly recent?: RecentDecisions;
}

/** What became of the hold of a decision: it is still there, ran out, or went on to a later attempt of its call. */
type HoldState = "there" | "moved" | StoredRecord;

/** A hold that is not there any more, and whose it was: a call that is named may have a later decision by now. */
interface Gone {
  readonly decision: string;
  readonly hold: HoldState;
}

/** What a report does to budgets. `ends`: until when its call may run, by the decision's clock. */
function settle(
  told: Told,
  decision: Subject,
  snapshot: Snapshot,
  hold: HoldState,
  ends: { readonly reportByMs: number | undefined; readonly storeAheadMs: number },
  unheld: Unheld["accounts"],
) {
  if (!decision || hold === "moved" || isOfAnotherId(told, decision)) return undefined;
  if (hold === "there") return settlementOf(told, decision, snapshot, ends.reportByMs, ends.storeAheadMs, unheld);
  const settles = told.outcome !== "running" && told.outcome !== "unknown";
  return settles ? correctionOf(told, decision, snapshot, hold, unheld) : undefined;
}

/** Of accounts that did not let a report in, those that count as much as any may. */
const fullAmong = (shorts: readonly Short[]) =>
  shorts.filter(({ why }) => why === "full").map(({ account }) => account);

const NONE_FULL: ReadonlySet<bigint> = new Set();

const answer = (told: Told, decision: Subject, record: RecordRef, more: Partial<Reported>): Reported => ({
  decisionId: decision?.body.id ?? "",
  replayed: false,
  outcome: told.outcome,
  reportByMs: undefined,
  inputMatches: matches(told, decision),
  unsettled: [],
  ...more,
  record: { epoch: record.epoch, n: record.n },
});

/** Whether a report comes after its decision's time, or after what reports have made of it since. */
async function isLate(ledger: Ledger, decision: Subject, { session }: Asker, nowMs: number): Promise<boolean> {
  if (!decision?.body.report_by || nowMs <= Date.parse(decision.body.report_by)) return false;
  const reports = await ledger.findBySubject(session.tenant, decision.body.id);
  return nowMs > reportEndsMs(decision, reports);
}

/** What is known of a report's call: the decision it is about, what became of its hold, and which accounts take no more. */
interface About {
  readonly snapshot: Snapshot;
  /** The revision that the report is judged under. */
  readonly security: bigint;
  readonly decision: Subject;
  readonly name: CallName | undefined;
  readonly hold: HoldState;
  readonly full: ReadonlySet<bigint>;
}

/** The entry of a report, and what is answered of it. */
async function drafted(rooms: ReportRooms, asker: Asker, told: Told, about: About) {
  const { ledger, charging, clock, newId } = rooms;
  const { snapshot, security, decision, name, hold, full } = about;
  const nowMs = clock.now();
  const late = await isLate(ledger, decision, asker, nowMs);
  const reportByMs = told.outcome === "running" ? nowMs + REPORT_WITHIN_MS : undefined;
  const revoked = decision && revokedSince(snapshot, asker.session, decision, nowMs);
  const storeAheadMs = charging.storeAheadMs();
  const asking = decision && charging.unheld(snapshot, told, decision, storeAheadMs);
  const unheld = asking instanceof Promise ? await asking : asking;
  const owed = settle(told, decision, snapshot, hold, { reportByMs, storeAheadMs }, unheld?.accounts ?? []);
  const { settlement, uncounted } = withoutOverage(owed, full);
  const unsettled = [...new Set([...(unheld?.unsettled ?? []), ...uncounted])];
  const corrects = typeof hold === "object" && settlement !== undefined;
  const times = { nowMs, late, reportByMs };
  const received = { id: newId(nowMs), ...times, security, name, revoked, settlement, unsettled, corrects };
  return { record: draftReport(told, asker, decision, received), late, reportByMs, unsettled };
}

/** Takes reports: at least once, idempotent, on any replica. The first settling report of a call stands. */
export function createReport(rooms: ReportRooms): (who: WhoAsks, told: Told) => Promise<Reported> {
  const { snapshots, ledger, charging, clock, recent = noRecentDecisions } = rooms;
  const { subjectOf, settledBy, settledBefore } = createSubjects(ledger, recent);

  /** The report that stands. What ran although another had said that nothing would is told, since no entry tells it. */
  const replay = ({ session }: Asker, told: Told, decision: Subject, stands: StoredRecord): Reported => {
    const outcome = outcomeOf(stands);
    if (outcome === "not_executed" && told.outcome !== outcome) {
      rooms.onMismatch(session.tenant, decision?.body.id ?? "");
    }
    const unsettled = (bodyOf(stands).unsettled ?? []) as readonly string[];
    return answer(told, decision, stands, { replayed: true, outcome, unsettled });
  };

  /** Records a report; null when it has to be looked at anew. */
  const tell = async (
    asker: Asker,
    told: Told,
    gone: Gone | undefined,
    full: ReadonlySet<bigint>,
  ): Promise<Reported | null> => {
    const { tenant } = asker.session;
    const snapshot = await snapshots.current(tenant);
    const security = judgedUnder(asker, snapshot.revisions);
    const { decision, name } = await subjectOf(told, asker, security, clock.now());
    const hold = gone && gone.decision === decision?.body.id ? gone.hold : "there";
    if (decision) requireSameCaller(decision, asker);
    const settled = await settledBefore(told, decision, asker);
    if (settled) return replay(asker, told, decision, settled);
    const about = { snapshot, security, decision, name, hold, full };
    const { record, late, reportByMs, unsettled } = await drafted(rooms, asker, told, about);
    const recorded = await ledger.record(record);
    if (recorded.outcome === "stale") {
      await snapshots.secured(tenant);
      return null;
    }
    if (recorded.outcome === "short") {
      const more = fullAmong(recorded.shorts);
      return more.length > 0 ? tell(asker, told, gone, new Set([...full, ...more])) : null;
    }
    // Its call was decided at the same moment: the report is about that decision.
    if (recorded.outcome === "reused") return null;
    if (recorded.outcome === "gone") {
      const by = decision && (await settledBy(decision, asker));
      if (by?.kind === "report") return replay(asker, told, decision, by);
      return decision ? tell(asker, told, { decision: decision.body.id, hold: by ?? "moved" }, full) : null;
    }
    if (decision && recorded.outcome === "existing" && recorded.record.kind === "expiry") {
      return tell(asker, told, { decision: decision.body.id, hold: recorded.record }, full);
    }
    if (!matches(told, decision) || ranUnallowed(told, decision)) rooms.onMismatch(tenant, decision?.body.id ?? "");
    if (recorded.outcome === "existing") return replay(asker, told, decision, recorded.record);
    if (recorded.balances) charging.heard(recorded.balances);
    if (late) rooms.onLate();
    if (decision && told.outcome !== "running" && told.outcome !== "unknown") recent.forget(decision.body.id);
    return answer(told, decision, recorded.ref, { reportByMs, unsettled });
  };

  return async (who, told) => {
    for (let tried = 0; tried < TRIES_MAX; tried++) {
      const reported = await tell(await who(), told, undefined, NONE_FULL);
      if (reported) return reported;
    }
    throw new Fault("unavailable", "ledger_unavailable", "the report could not be recorded", { fix: "report again" });
  };
}
