import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ApprovalRequirement, Constraint, Effect } from "@remit/engine";
import { Mode, type RuleRef, Effect as WireEffect } from "@remit/proto/common";
import {
  Approval_State,
  ApprovalSchema,
  type DecideResponse,
  type Hold,
  QuestionSchema,
  type ReportResponse,
  ReportResponseSchema,
  RolloutNoteSchema,
  type Constraint as WireConstraint,
  Outcome as WireOutcome,
  type Reason as WireReason,
  type Would as WireWould,
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
import { timeOf, timestampOf } from "./fields.ts";

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

// A message is an object that has all of its fields. `create` gives it them one by one, whatever it is of, so each time
// one is made its shape is looked up and its memory grows; what every answer has is therefore written whole, by hand.

function reasonToWire(reason: Reason, diagnose: boolean): WireReason {
  const { code, message, retryable, retry_after_ms: retryMs, detail = "", remedy = "" } = reason;
  const retryAfter = retryMs === undefined ? undefined : durationFromMs(retryMs);
  return { $typeName: "remit.v1.Reason", code, message, retryable, retryAfter, detail: diagnose ? detail : "", remedy };
}

function ruleToWire({ policy, version, rule }: Decision["body"]["rules"][number]): RuleRef {
  return { $typeName: "remit.v1.RuleRef", policy, version, rule };
}

export function wouldToWire({ effect, reason, rules }: Would, diagnose: boolean): WireWould {
  return {
    $typeName: "remit.v1.Would",
    effect: EFFECTS[effect],
    reason: reasonToWire(reason, diagnose),
    rules: rules.map(ruleToWire),
  };
}

function valueToWire(constraint: Constraint): WireConstraint["value"] {
  switch (constraint.name) {
    case "timeout":
      return { case: "duration", value: durationFromMs(constraint.durationMs) };
    case "maxOutputBytes":
      return { case: "integer", value: BigInt(constraint.integer) };
    case "redactOutput":
      return { case: "strings", value: { $typeName: "remit.v1.StringSet", values: [...constraint.strings] } };
    case "requireIdempotencyKey":
      return { case: "flag", value: constraint.flag };
  }
}

function constraintToWire(constraint: Constraint): WireConstraint {
  return { $typeName: "remit.v1.Constraint", name: constraint.name, value: valueToWire(constraint) };
}

function requirementToWire({ rule, approvers, quorum, expiresSeconds }: ApprovalRequirement) {
  return { rule: { ...rule }, approvers: [...approvers], quorum, expires: durationFromMs(expiresSeconds * 1000) };
}

function transformedToWire({ transformedInput }: Decision, asBytes: boolean): DecideResponse["transformed"] {
  if (!transformedInput) return { case: undefined };
  if (asBytes) return { case: "transformedJson", value: Buffer.from(JSON.stringify(transformedInput)) };
  return { case: "transformedObject", value: structuredClone(transformedInput) as never };
}

function rolloutToWire({ id, side, versions, other, judged }: RolloutNote) {
  return create(RolloutNoteSchema, {
    ...{ id, canary: side === "candidate", judged },
    versions: versions.map((version) => ({ ...version })),
    ...(other && {
      other: { effect: EFFECTS[other.effect], code: other.code, rules: other.rules.map(ruleToWire) },
    }),
  });
}

function approvalToWire({ approval, at }: Decision["body"]) {
  if (!approval) return undefined;
  const endsMs = approvalEndsMs({ approval, at });
  return create(ApprovalSchema, {
    state: Approval_State.PENDING,
    summary: approval.summary ?? "",
    ...(endsMs !== undefined && { expiresAt: timestampOf(endsMs) }),
    requirements: approval.requirements.map(requirementToWire),
  });
}

function holdToWire({ budget, unit, amount }: Decision["body"]["holds"][number]): Hold {
  return { $typeName: "remit.v1.Hold", budget, amount: { $typeName: "remit.v1.Amount", unit, value: amount } };
}

/** A decision as the wire has it. */
export function decisionToWire(decision: Decision, { asBytes, diagnose, stalenessMs }: Writing): DecideResponse {
  const { body, record } = decision;
  const revisions = { security: BigInt(body.revision.security), policy: BigInt(body.revision.policy) };
  return {
    $typeName: "remit.v1.DecideResponse",
    decisionId: body.id,
    attempt: body.attempt,
    replayed: decision.replayed,
    effect: EFFECTS[body.effect],
    mode: modeToWire(body.mode),
    would: body.would && wouldToWire(body.would, diagnose),
    reason: reasonToWire(body.reason, diagnose),
    rules: body.rules.map(ruleToWire),
    transformed: transformedToWire(decision, asBytes),
    transformedTool: "",
    constraints: body.constraints.map(constraintToWire),
    approval: approvalToWire(body),
    questions: (body.questions ?? []).map((question) => create(QuestionSchema, { ...question })),
    holds: body.holds.map(holdToWire),
    permit: "",
    executeBefore: timeOf(body.execute_before),
    reportBy: timeOf(body.report_by),
    policyDigest: body.policy_digest,
    inputDigest: body.input_digest,
    effectiveInputDigest: body.effective_input_digest,
    revision: revisionNumber(revisions),
    record: { $typeName: "remit.v1.RecordRef", epoch: record.epoch, n: record.n },
    traceId: body.trace_id,
    evaluatedAt: timeOf(body.at),
    rollout: body.rollout && rolloutToWire(body.rollout),
    stalenessMs,
  };
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
    ...(reported.reportByMs !== undefined && { reportBy: timestampOf(reported.reportByMs) }),
  });
}
