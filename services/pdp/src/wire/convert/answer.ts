import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ApprovalRequirement, Constraint, Effect } from "@remit/engine";
import { Mode, Effect as WireEffect } from "@remit/proto/common";
import {
  Approval_State,
  type ConstraintSchema,
  type DecideResponse,
  DecideResponseSchema,
  type ReasonSchema,
  type ReportResponse,
  ReportResponseSchema,
  Outcome as WireOutcome,
  type WouldSchema,
} from "@remit/proto/decision";
import {
  approvalEndsMs,
  type Decision,
  type Outcome,
  type Reason,
  type Reported,
  type RolloutNote,
  revisionNumber,
  type Would,
} from "../../decisions/index.ts";
import { invalid } from "../../foundation/fault.ts";
import { timeOf } from "./fields.ts";

const EFFECTS: Readonly<Record<Effect, WireEffect>> = {
  allow: WireEffect.ALLOW,
  transform: WireEffect.TRANSFORM,
  escalate: WireEffect.ESCALATE,
  clarify: WireEffect.CLARIFY,
  deny: WireEffect.DENY,
};

/** How an answer is written for the one who asked. */
export interface Writing {
  /** Whether JSON goes out as bytes (for SDKs) or as an object (for people): as the call's input came in. */
  readonly asBytes: boolean;
  /** Whether the caller may see details that are not for the model. */
  readonly diagnose: boolean;
  /** How old what is known here of the tenant may be. */
  readonly stalenessMs: number;
}

export function effectToWire(effect: Effect): WireEffect {
  return EFFECTS[effect];
}

/** The effect that a request names; undefined when it names none. */
export function effectFrom(effect: WireEffect, field: string): Effect | undefined {
  if (effect === WireEffect.UNSPECIFIED) return undefined;
  const found = (Object.keys(EFFECTS) as Effect[]).find((name) => EFFECTS[name] === effect);
  if (found) return found;
  throw invalid(field, `${field} is unknown`, { fix: `send one of ${Object.keys(EFFECTS).join(", ")}` });
}

export function modeToWire(mode: "enforced" | "observed"): Mode {
  return mode === "observed" ? Mode.OBSERVED : Mode.ENFORCED;
}

function reasonToWire(reason: Reason, diagnose: boolean): MessageInitShape<typeof ReasonSchema> {
  const { code, message, retryable, retry_after_ms: retryMs, detail, remedy } = reason;
  return {
    code,
    message,
    retryable,
    detail: diagnose ? (detail ?? "") : "",
    remedy: remedy ?? "",
    ...(retryMs !== undefined && { retryAfter: durationFromMs(retryMs) }),
  };
}

export function wouldToWire(would: Would, diagnose: boolean): MessageInitShape<typeof WouldSchema> {
  return {
    effect: EFFECTS[would.effect],
    reason: reasonToWire(would.reason, diagnose),
    rules: would.rules.map((rule) => ({ ...rule })),
  };
}

function constraintToWire(constraint: Constraint): MessageInitShape<typeof ConstraintSchema> {
  const { name } = constraint;
  switch (constraint.name) {
    case "timeout":
      return { name, value: { case: "duration", value: durationFromMs(constraint.durationMs) } };
    case "maxOutputBytes":
      return { name, value: { case: "integer", value: BigInt(constraint.integer) } };
    case "redactOutput":
      return { name, value: { case: "strings", value: { values: [...constraint.strings] } } };
    case "requireIdempotencyKey":
      return { name, value: { case: "flag", value: constraint.flag } };
  }
}

function requirementToWire({ rule, approvers, quorum, expiresSeconds }: ApprovalRequirement) {
  return { rule: { ...rule }, approvers: [...approvers], quorum, expires: durationFromMs(expiresSeconds * 1000) };
}

function transformedToWire(decision: Decision, asBytes: boolean) {
  const { transformedInput } = decision;
  if (!transformedInput) return { case: undefined };
  if (asBytes) return { case: "transformedJson" as const, value: Buffer.from(JSON.stringify(transformedInput)) };
  return { case: "transformedObject" as const, value: structuredClone(transformedInput) as never };
}

function rolloutToWire({ id, side, versions, other, judged }: RolloutNote) {
  return {
    ...{ id, canary: side === "candidate", judged },
    versions: versions.map((version) => ({ ...version })),
    ...(other && {
      other: { effect: EFFECTS[other.effect], code: other.code, rules: other.rules.map((rule) => ({ ...rule })) },
    }),
  };
}

function holdToWire({ budget, unit, amount }: Decision["body"]["holds"][number]) {
  return { budget, amount: { unit, value: amount } };
}

/** A decision as the wire has it. */
export function decisionToWire(decision: Decision, { asBytes, diagnose, stalenessMs }: Writing): DecideResponse {
  const { body, record } = decision;
  const { approval } = body;
  const approvalEnds = approvalEndsMs(body);
  const revisions = { security: BigInt(body.revision.security), policy: BigInt(body.revision.policy) };
  return create(DecideResponseSchema, {
    decisionId: body.id,
    attempt: body.attempt,
    replayed: decision.replayed,
    effect: EFFECTS[body.effect],
    mode: modeToWire(body.mode),
    ...(body.would && { would: wouldToWire(body.would, diagnose) }),
    reason: reasonToWire(body.reason, diagnose),
    rules: body.rules.map((rule) => ({ ...rule })),
    transformed: transformedToWire(decision, asBytes),
    constraints: body.constraints.map(constraintToWire),
    ...(approval && {
      approval: {
        state: Approval_State.PENDING,
        summary: approval.summary ?? "",
        ...(approvalEnds !== undefined && { expiresAt: timestampFromMs(approvalEnds) }),
        requirements: approval.requirements.map(requirementToWire),
      },
    }),
    questions: (body.questions ?? []).map((question) => ({ ...question })),
    holds: body.holds.map(holdToWire),
    ...(body.execute_before && { executeBefore: timeOf(body.execute_before) }),
    ...(body.report_by && { reportBy: timeOf(body.report_by) }),
    policyDigest: body.policy_digest,
    inputDigest: body.input_digest,
    effectiveInputDigest: body.effective_input_digest,
    revision: revisionNumber(revisions),
    record: { ...record },
    traceId: body.trace_id,
    evaluatedAt: timestampFromMs(Date.parse(body.at)),
    ...(body.rollout && { rollout: rolloutToWire(body.rollout) }),
    stalenessMs,
  } as MessageInitShape<typeof DecideResponseSchema>);
}

const WIRE_OUTCOMES: Readonly<Record<Outcome, WireOutcome>> = {
  running: WireOutcome.RUNNING,
  succeeded: WireOutcome.SUCCEEDED,
  failed: WireOutcome.FAILED,
  not_executed: WireOutcome.NOT_EXECUTED,
  unknown: WireOutcome.UNKNOWN,
};

/** What a report is answered. */
export function reportedToWire(reported: Reported): ReportResponse {
  return create(ReportResponseSchema, {
    decisionId: reported.decisionId,
    replayed: reported.replayed,
    outcome: WIRE_OUTCOMES[reported.outcome],
    record: { ...reported.record },
    inputMatches: reported.inputMatches,
    unsettledUnits: [...reported.unsettled],
    ...(reported.reportByMs !== undefined && { reportBy: timestampFromMs(reported.reportByMs) }),
  });
}
