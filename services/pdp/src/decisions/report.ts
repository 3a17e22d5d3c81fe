import { formatAmount } from "../foundation/amount.ts";
import { type Canonicalisable, canonical } from "../foundation/canonical.ts";
import { type Clock, rfc3339, utcDay } from "../foundation/clock.ts";
import { digestBytes } from "../foundation/digest.ts";
import { Fault } from "../foundation/fault.ts";
import { idempotencyKey, type Ledger, type NewRecord, type RecordRef, type StoredRecord } from "../ledger/index.ts";
import type { Snapshots } from "../policies/index.ts";
import { type Asker, judgedUnder, type Outcome, type Told, type WhoAsks } from "./ask.ts";
import type { Decision } from "./decision.ts";
import { REPORT_WITHIN_MS } from "./entry.ts";
import { bodyOf, storedDecision } from "./replay.ts";

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

/** What stands of a call that was reported on: the first outcome that settles it, else that it is unknown, or at work. */
export function firstOutcome(reports: readonly StoredRecord[]): Outcome | undefined {
  const settled = reports.map((report) => bodyOf(report).outcome as Outcome);
  return (
    settled.find((outcome) => outcome !== "running" && outcome !== "unknown") ??
    settled.find((outcome) => outcome === "unknown") ??
    settled[0]
  );
}

// A call has one settling report; the ones that leave it open may come any number of times, each once.
function reportKey(told: Told, about: string, said: Record<string, Canonicalisable>): Uint8Array {
  if (told.outcome === "running")
    return idempotencyKey(`running:${digestBytes("entry", canonical(said)).toString("hex")}`, about, 1);
  return idempotencyKey(told.outcome === "unknown" ? "unknown" : "report", about, 1);
}

function reportBody(told: Told, asker: Asker, decision: Decision | undefined): Record<string, Canonicalisable> {
  return {
    v: 1,
    kind: "report",
    tenant: asker.session.tenant,
    caller: { id: asker.caller.id, name: asker.caller.name },
    session: asker.session.id,
    decision: decision?.body.id,
    call_id: "callId" in told.subject ? told.subject.callId : undefined,
    outcome: told.outcome,
    actual: told.actual.map(({ unit, micros }) => ({ unit, value: formatAmount(micros) })),
    input_digest: told.inputDigest || undefined,
    input_matches: matches(told, decision),
    ran_unallowed: ranUnallowed(told, decision) || undefined,
    output_digest: told.outputDigest || undefined,
    labels: told.labels,
    started_at: told.startedAtMs === undefined ? undefined : rfc3339(told.startedAtMs),
    duration_ms: told.durationMs,
  };
}

function matches(told: Told, decision: Decision | undefined): boolean {
  return told.inputDigest === "" || told.inputDigest === (decision?.body.effective_input_digest ?? told.inputDigest);
}

/** Whether the report says that something ran which was never allowed to. */
function ranUnallowed(told: Told, decision: Decision | undefined): boolean {
  if (!decision || told.outcome === "not_executed") return false;
  return decision.body.effect !== "allow" && decision.body.effect !== "transform";
}

function unknownDecision(field: string): Fault {
  return new Fault("missing", "decision_unknown", "there is no such decision in this session", {
    field,
    fix: "report with the id that Decide answered and the session that asked",
  });
}

export interface ReportRooms {
  readonly snapshots: Snapshots;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
  /** Called when what ran is not what was decided, or was never allowed: a critical event. */
  readonly onMismatch: (tenant: string, decisionId: string) => void;
}

/** Takes reports: at least once, idempotent. The first settling report of a call stands. */
export function createReport(rooms: ReportRooms): (who: WhoAsks, told: Told) => Promise<Reported> {
  const { snapshots, ledger, clock, newId } = rooms;

  const subjectOf = async (told: Told, { session }: Asker): Promise<Decision | undefined> => {
    if ("decisionId" in told.subject) {
      const found = await ledger.findById(session.tenant, told.subject.decisionId);
      if (found?.kind !== "decision" || found.session !== session.id) throw unknownDecision("decision_id");
      return storedDecision(found);
    }
    const key = idempotencyKey("decision", told.subject.callId, 1);
    const found = await ledger.findByKey(session.tenant, session.id, utcDay(session.openedAtMs), key);
    if (found) return storedDecision(found);
    // A Decide whose answer never came may never have arrived: saying that nothing ran is always right.
    if (told.outcome !== "not_executed") throw unknownDecision("call_id");
    return undefined;
  };

  const draft = (told: Told, asker: Asker, decision: Decision | undefined, security: bigint): NewRecord => {
    const { session } = asker;
    const nowMs = clock.now();
    // A caller's own id may be spelt like a decision's; the two are told apart.
    const about = decision ? `decision:${decision.body.id}` : `call:${"callId" in told.subject && told.subject.callId}`;
    const said = reportBody(told, asker, decision);
    const id = newId(nowMs);
    const text = canonical({ ...said, id, at: rfc3339(nowMs), trace_id: told.traceId });
    return {
      id,
      tenant: session.tenant,
      session: session.id,
      sessionDay: utcDay(session.openedAtMs),
      key: reportKey(told, about, said),
      // Any second report of a call is the same request: the first stands.
      request: digestBytes("request", canonical({ report: about })),
      kind: "report",
      ...(decision && { subject: decision.body.id }),
      securityRevision: security,
      digest: digestBytes("entry", text),
      body: Buffer.from(text),
    };
  };

  return async (who, told) => {
    for (let tried = 0; tried < TRIES_MAX; tried++) {
      const asker = await who();
      const { tenant } = asker.session;
      const decision = await subjectOf(told, asker);
      const snapshot = await snapshots.current(tenant);
      const record = draft(told, asker, decision, judgedUnder(asker, snapshot.revisions));
      const recorded = await ledger.record(record);
      if (recorded.outcome === "stale") {
        await snapshots.refresh(tenant);
        continue;
      }
      if (recorded.outcome === "reused") throw new Fault("conflict", "call_id_reused", "the report's key is taken");
      const inputMatches = matches(told, decision);
      if (!inputMatches || ranUnallowed(told, decision)) rooms.onMismatch(tenant, decision?.body.id ?? "");
      const existing = recorded.outcome === "existing";
      return {
        decisionId: decision?.body.id ?? "",
        replayed: existing,
        outcome: existing ? (bodyOf(recorded.record).outcome as Outcome) : told.outcome,
        reportByMs: told.outcome === "running" ? clock.now() + REPORT_WITHIN_MS : undefined,
        record: existing ? { epoch: recorded.record.epoch, n: recorded.record.n } : recorded.ref,
        inputMatches,
      };
    }
    throw new Fault("unavailable", "ledger_unavailable", "the report could not be recorded", { fix: "report again" });
  };
}
