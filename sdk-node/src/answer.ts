import { durationMs, type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { Effect as WireEffect, Mode as WireMode } from "@remit/proto/common";
import {
  Approval_State,
  type DecideResponse,
  type Approval as WireApproval,
  type Reason as WireReason,
  type Would as WireWould,
} from "@remit/proto/decision";
import { type Asked, copyOf } from "./asked.ts";
import { canonical } from "./canonical.ts";
import { readConstraints } from "./constraints.ts";
import {
  type Approval,
  type Decision,
  type Denied,
  denyLocally,
  type Effect,
  type Paused,
  type Permitted,
  type Question,
  type Reason,
  type Recorded,
  type Would,
} from "./decision.ts";
import { inputDigest } from "./digest.ts";
import type { LocalCode } from "./local-codes.ts";
import type { PausedCall } from "./paused.ts";

const effects: ReadonlyMap<number, Effect> = new Map([
  [WireEffect.ALLOW, "allow"],
  [WireEffect.TRANSFORM, "transform"],
  [WireEffect.ESCALATE, "escalate"],
  [WireEffect.CLARIFY, "clarify"],
  [WireEffect.DENY, "deny"],
]);

const approvalStates: ReadonlyMap<number, Approval["state"]> = new Map([
  [Approval_State.PENDING, "pending"],
  [Approval_State.GRANTED, "granted"],
  [Approval_State.REFUSED, "refused"],
  [Approval_State.EXPIRED, "expired"],
]);

function dateOf(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp && timestampDate(timestamp);
}

function readReason(wire: WireReason | undefined): Reason {
  return {
    code: wire?.code ?? "",
    message: wire?.message ?? "",
    retryable: wire?.retryable ?? false,
    retryAfterMs: wire?.retryAfter && durationMs(wire.retryAfter),
    detail: wire?.detail || undefined,
    remedy: wire?.remedy || undefined,
  };
}

function readWould(wire: WireWould): Would {
  return {
    effect: effects.get(wire.effect),
    reason: readReason(wire.reason),
    rules: wire.rules.map(({ policy, version, rule }) => ({ policy, version, rule })),
  };
}

function readRecorded(asked: Asked, answer: DecideResponse): Recorded {
  return {
    tool: asked.tool,
    callId: asked.callId,
    decisionId: answer.decisionId,
    attempt: answer.attempt,
    replayed: answer.replayed,
    mode: answer.mode === WireMode.OBSERVED ? "observed" : "enforced",
    would: answer.would && readWould(answer.would),
    reason: readReason(answer.reason),
    rules: answer.rules.map(({ policy, version, rule }) => ({ policy, version, rule })),
    holds: answer.holds.map(({ budget, amount }) => ({
      budget,
      amount: { unit: amount?.unit ?? "", value: amount?.value ?? "" },
    })),
    policyDigest: answer.policyDigest,
    inputDigest: answer.inputDigest,
    effectiveInputDigest: answer.effectiveInputDigest,
    revision: answer.revision,
    stalenessMs: answer.stalenessMs,
    record: answer.record && { epoch: answer.record.epoch, n: answer.record.n },
    traceId: answer.traceId,
    evaluatedAt: dateOf(answer.evaluatedAt),
  };
}

/** The state of an approval in words; `unknown` for one that this SDK does not know. */
export function readApprovalState(state: number | undefined): Approval["state"] {
  return approvalStates.get(state ?? Approval_State.UNSPECIFIED) ?? "unknown";
}

function readApproval(wire: WireApproval): Approval {
  return {
    id: wire.id,
    state: readApprovalState(wire.state),
    expiresAt: dateOf(wire.expiresAt)?.toISOString(),
    summary: wire.summary,
    url: wire.url,
  };
}

function pause(asked: Asked, answer: DecideResponse, recorded: Recorded, effect: "escalate" | "clarify"): Paused {
  const paused: PausedCall = {
    v: 1,
    effect,
    sessionId: asked.sessionId,
    callId: asked.callId,
    tool: asked.tool,
    input: copyOf(asked.inputJson),
    ...(asked.context !== undefined && { context: copyOf(asked.context) }),
    ...(asked.estimate.length > 0 && { estimate: asked.estimate }),
    decisionId: recorded.decisionId,
    attempt: recorded.attempt,
    reason: { code: recorded.reason.code, message: recorded.reason.message },
    ...(answer.approval && { approval: readApproval(answer.approval) }),
    questions: answer.questions.map(({ id, type, ask }) => ({ id, type: type as Question["type"], ask })),
  };
  return { ...recorded, effect, paused };
}

/** The canonical JSON of what must run, or why it must not. */
function effectiveInput(asked: Asked, answer: DecideResponse): { readonly json: string } | { readonly wrong: string } {
  if (answer.transformedTool !== "") return { wrong: `the call was sent to another tool, ${answer.transformedTool}` };
  if (answer.effect === WireEffect.ALLOW) {
    return answer.transformed.case === undefined ? { json: asked.inputJson } : { wrong: "an allow came with an input" };
  }
  try {
    switch (answer.transformed.case) {
      case "transformedJson": {
        const text = new TextDecoder("utf-8", { fatal: true }).decode(answer.transformed.value);
        const value: unknown = JSON.parse(text);
        const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
        return isObject ? { json: canonical(value) } : { wrong: "the transformed input is not a JSON object" };
      }
      case "transformedObject":
        return { json: canonical(answer.transformed.value) };
      default:
        return { wrong: "the transformed input is missing" };
    }
  } catch (error) {
    return { wrong: `the transformed input cannot be read: ${(error as Error).message}` };
  }
}

function permit(asked: Asked, answer: DecideResponse, recorded: Recorded, effect: "allow" | "transform"): Decision {
  const refuse = (code: LocalCode, message: string): Denied => denyLocally(asked, code, message, { recorded });
  const invalid = (what: string): Denied =>
    refuse("answer_invalid", `The call was not run: Remit's answer does not hold together (${what}).`);
  if (answer.mode !== WireMode.ENFORCED && answer.mode !== WireMode.OBSERVED) return invalid("its mode is unknown");
  if (answer.decisionId === "") return invalid("it has no decision id");
  const effective = effectiveInput(asked, answer);
  if ("wrong" in effective) return invalid(effective.wrong);
  if (inputDigest(effective.json) !== answer.effectiveInputDigest) {
    return invalid("the digest of what must run is not that of the input");
  }
  const read = readConstraints(answer.constraints, asked.supported);
  if ("unsupported" in read) {
    const message = `The call was allowed under the constraint ${read.unsupported}, which this caller cannot honour, so it was not run.`;
    return refuse("constraint_unsupported", message);
  }
  const permitted: Permitted = {
    ...recorded,
    effect,
    input: copyOf(effective.json),
    idempotencyKey: recorded.decisionId,
    constraints: read.constraints,
    permit: answer.permit || undefined,
    executeBefore: dateOf(answer.executeBefore),
    reportBy: dateOf(answer.reportBy),
  };
  return permitted;
}

/**
 * What an answer means for the call that was asked. Whatever this SDK does not know or cannot check becomes a local
 * denial; Remit's own denial needs no check.
 */
export function readAnswer(asked: Asked, answer: DecideResponse): Decision {
  const recorded = readRecorded(asked, answer);
  const effect = effects.get(answer.effect);
  if (effect === "deny") {
    const { decisionId, reason, rules, tool, callId } = recorded;
    const known = { tool, callId, decisionId: decisionId || undefined };
    return { effect, ...known, local: false, reason, rules, recorded, cause: undefined };
  }
  if (effect === undefined) {
    const message = "The call was not run: Remit answered with an effect that this SDK does not know.";
    return denyLocally(asked, "effect_unknown", message, { recorded });
  }
  if (answer.inputDigest !== asked.inputDigest) {
    const message = "The call was not run: Remit's answer is about another input than the one that was asked about.";
    return denyLocally(asked, "answer_invalid", message, { recorded });
  }
  if (effect === "escalate" || effect === "clarify") return pause(asked, answer, recorded, effect);
  return permit(asked, answer, recorded, effect);
}
