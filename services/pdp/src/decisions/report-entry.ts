import { trailOf } from "../behaviour/index.ts";
import { formatAmount } from "../foundation/amount.ts";
import { assert } from "../foundation/assert.ts";
import { type Canonicalisable, canonical } from "../foundation/canonical.ts";
import { rfc3339, utcDay } from "../foundation/clock.ts";
import { digestBytes } from "../foundation/digest.ts";
import { rootOf } from "../identities/index.ts";
import { idempotencyKey, type NewRecord } from "../ledger/index.ts";
import type { Asker, Told } from "./ask.ts";
import { type CallName, callKey } from "./call.ts";
import { endEvent } from "./call-event.ts";
import type { DecisionCode } from "./codes.ts";
import type { ReportedOn } from "./decision.ts";
import { aboutDecision, settlingKeyOf } from "./expiry-entry.ts";
import type { Settlement } from "./settling.ts";

/** What a report is about: a decision, or a call that had never been decided when its caller gave it up. */
export type Subject = ReportedOn | undefined;

/** What is known of a report beside what it says. */
export interface Received {
  readonly id: string;
  readonly nowMs: number;
  /** It came after its decision's `report_by`. */
  readonly late: boolean;
  /** Until when the next report may come, of a call that still runs. */
  readonly reportByMs: number | undefined;
  readonly security: bigint;
  /** What its call is known by, where it names the call. */
  readonly name: CallName | undefined;
  /** What was revoked of its call since it was allowed. */
  readonly revoked: DecisionCode | undefined;
  /** What it does to budgets. */
  readonly settlement: Settlement | undefined;
  /** Units in which it cost something that no budget counts. */
  readonly unsettled: readonly string[];
  /** The hold had expired: that was recorded in its place, and this sets it right. */
  readonly corrects: boolean;
}

/** Whether what ran is what was decided, as far as the report says. */
export function matches(told: Told, decision: Subject): boolean {
  return told.inputDigest === "" || told.inputDigest === (decision?.body.effective_input_digest ?? told.inputDigest);
}

/** Whether the report says that something ran which was never allowed to. */
export function ranUnallowed(told: Told, decision: Subject): boolean {
  if (!decision || told.outcome === "not_executed") return false;
  return decision.body.effect !== "allow" && decision.body.effect !== "transform";
}

/**
 * Whether the report says that nothing ran of a call that another id of the same business key asked for first: that one
 * may run, and is not settled by it.
 */
export function isOfAnotherId({ subject, outcome }: Told, decision: Subject): boolean {
  if (!decision || outcome !== "not_executed" || !("callId" in subject)) return false;
  return decision.callId !== subject.callId;
}

/** The one settling report of a decision. 16 bytes. */
export function settlingKey(decision: ReportedOn): Buffer {
  return settlingKeyOf(decision.body.id);
}

/** The same word that a call still runs, sent twice within this time, is one; later it is another, and makes time. */
const SAME_WORD_MS = 60_000;

// A call has one settling report; the ones that leave it open may come any number of times, each once. One about a call
// that was never decided takes the place of its first decision: of the two, one is recorded.
function reportKey(
  told: Told,
  decision: Subject,
  said: Record<string, Canonicalisable>,
  { nowMs, name, corrects }: Received,
): Uint8Array {
  if (!decision) {
    assert(name !== undefined, "a report on no decision names its call");
    return callKey(name, 1);
  }
  const about = `decision:${decision.body.id}`;
  if (isOfAnotherId(told, decision)) return idempotencyKey("of-another-id", `${about}:${said.call_id}`, 1);
  if (told.outcome === "unknown") return idempotencyKey("unknown", about, 1);
  if (told.outcome !== "running") return corrects ? idempotencyKey("correction", about, 1) : settlingKey(decision);
  const word = digestBytes("entry", canonical(said)).toString("hex");
  return idempotencyKey(`running:${word}:${Math.floor(nowMs / SAME_WORD_MS)}`, about, 1);
}

function reportBody(told: Told, asker: Asker, decision: Subject): Record<string, Canonicalisable> {
  return {
    v: 1,
    kind: "report",
    tenant: asker.session.tenant,
    caller: { id: asker.caller.id, name: asker.caller.name },
    session: asker.session.id,
    decision: decision?.body.id,
    call_id: "callId" in told.subject ? told.subject.callId : undefined,
    outcome: told.outcome,
    of_another_id: isOfAnotherId(told, decision) || undefined,
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

/** Writes the entry of a report. */
export function draftReport(told: Told, asker: Asker, decision: Subject, received: Received): NewRecord {
  const { session } = asker;
  const { id, nowMs, late, reportByMs, security, name, revoked, settlement, unsettled, corrects } = received;
  const said = reportBody(told, asker, decision);
  const event = isOfAnotherId(told, decision) ? undefined : endEvent(id, told, session, decision, nowMs);
  const text = canonical({
    ...said,
    business_key: !decision && name?.kind === "business" ? name.id : undefined,
    id,
    at: rfc3339(nowMs),
    late: late || undefined,
    revoked,
    corrects: corrects || undefined,
    settled: settlement && settlement.said.length > 0 ? settlement.said : undefined,
    unsettled: unsettled.length > 0 ? unsettled : undefined,
    froze: settlement?.frozen?.budget,
    report_by: reportByMs === undefined ? undefined : rfc3339(reportByMs),
    trace_id: told.traceId,
  });
  const about = `${name?.kind === "business" ? "business" : "call"}:${name?.id}`;
  return {
    id,
    tenant: session.tenant,
    session: session.id,
    sessionDay: utcDay(session.openedAtMs),
    key: reportKey(told, decision, said, received),
    // Any second report of a call is the same request: the first stands.
    request: decision ? aboutDecision(decision.body.id) : digestBytes("request", canonical({ report: about })),
    kind: "report",
    ...(decision && { subject: decision.body.id }),
    ...(reportByMs !== undefined && { expiresAtMs: reportByMs }),
    securityRevision: security,
    ...(settlement && { charge: settlement.charge }),
    digest: digestBytes("entry", text),
    body: Buffer.from(text),
    ...(event && { counted: { run: rootOf(session), trail: trailOf(event) } }),
  };
}
