import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ReportRequest,
  ReportRequestSchema,
  type ReportResponse,
  Outcome as WireOutcome,
} from "@remit/proto/decision";
import type { Amount } from "./amount.ts";
import { misuse } from "./errors.ts";

/**
 * What became of a call. `failed` says that nothing was spent; `unknown` says that nobody knows; `running` extends the
 * time in which a report is expected.
 */
export type Outcome = "running" | "succeeded" | "failed" | "not_executed" | "unknown";

/** What the caller says happened. */
export interface Report {
  /** One of the two: the decision's id, or the call's when its decision was never seen. */
  readonly decisionId?: string | undefined;
  readonly callId?: string | undefined;
  readonly outcome: Outcome;
  /** What it cost. Absent: what is held counts as spent. Zero is legal. */
  readonly actual?: readonly Amount[] | undefined;
  /** sha256:<hex> of what ran, as in `Permitted.effectiveInputDigest`. */
  readonly inputDigest?: string | undefined;
  /** sha256:<hex> of what it returned. */
  readonly outputDigest?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly startedAt?: Date | undefined;
  readonly durationMs?: number | undefined;
}

/** What Remit made of a report. */
export interface ReportResult {
  /** Empty when a call id was reported that had never been decided. */
  readonly decisionId: string;
  /** True when this call's outcome had been reported before: the first stands. */
  readonly replayed: boolean;
  /** The outcome that stands; undefined when this SDK does not know it. */
  readonly outcome: Outcome | undefined;
  /** False when what ran is not what was decided. */
  readonly inputMatches: boolean;
  readonly record: { readonly epoch: bigint; readonly n: bigint } | undefined;
}

const outcomes: Readonly<Record<Outcome, WireOutcome>> = {
  running: WireOutcome.RUNNING,
  succeeded: WireOutcome.SUCCEEDED,
  failed: WireOutcome.FAILED,
  not_executed: WireOutcome.NOT_EXECUTED,
  unknown: WireOutcome.UNKNOWN,
};

/** The report as it is sent. Throws `RemitError` when it names no call. */
export function writeReport(report: Report): ReportRequest {
  const { decisionId, callId } = report;
  if (!decisionId && !callId)
    throw misuse("decisionId", "a report needs a decision id or a call id", "pass one of them");
  const request = create(ReportRequestSchema, {
    subject: decisionId ? { case: "decisionId", value: decisionId } : { case: "callId", value: callId ?? "" },
    outcome: outcomes[report.outcome],
    actual: (report.actual ?? []).map(({ unit, value }) => ({ unit, value })),
    inputDigest: report.inputDigest ?? "",
    outputDigest: report.outputDigest ?? "",
    labels: [...(report.labels ?? [])],
  });
  if (report.startedAt) request.startedAt = timestampFromMs(report.startedAt.getTime());
  if (report.durationMs !== undefined) request.duration = durationFromMs(Math.round(report.durationMs));
  return request;
}

export function readReported(answer: ReportResponse): ReportResult {
  const known = (Object.keys(outcomes) as Outcome[]).find((name) => outcomes[name] === answer.outcome);
  return {
    decisionId: answer.decisionId,
    replayed: answer.replayed,
    outcome: known,
    inputMatches: answer.inputMatches,
    record: answer.record && { epoch: answer.record.epoch, n: answer.record.n },
  };
}
