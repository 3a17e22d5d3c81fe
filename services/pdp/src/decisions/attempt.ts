import { canonical, type JsonObject } from "../foundation/canonical.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { type StrictObject, strictObject } from "../foundation/strict-json.ts";
import type { Ask } from "./ask.ts";
import type { Stopping } from "./breakers.ts";
import type { Decision, DecisionBody } from "./decision.ts";
import { type Bar, type Finding, refusal } from "./finding.ts";
import { type PendingHold, pendingHold } from "./holding.ts";

/** An attempt of a call that is to be made. */
export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** What earlier attempts were answered, and what this one was asked with. */
  readonly answers: StrictObject;
  /** The approval that an earlier attempt waited for ran out: its rules are not asked a second time. */
  readonly approvalExpired: boolean;
  /** What must be answered whatever the policies say. */
  readonly forced?: Finding;
  /** That breakers stop it, or would. */
  readonly stopping?: Stopping | undefined;
  /** What the attempt before it holds until people have decided: this one takes it over, or gives it back. */
  readonly held?: PendingHold | undefined;
}

/** What becomes of a call that is known: its last decision again, or one attempt more. */
export type Step =
  | { readonly step: "answer"; readonly decision: Decision }
  | { readonly step: "attempt"; readonly attempt: Attempt };

/** A denial that lets itself be asked again, and does not say when, waits this long. */
export const RETRY_AFTER_DEFAULT_MS = 1_000;

export const firstAttempt = (ask: Ask): Attempt => ({ number: 1, answers: ask.answers, approvalExpired: false });

/** Whether a decision lets the tool run. */
export function mayStart({ body }: Pick<Decision, "body">): boolean {
  return body.effect === "allow" || body.effect === "transform";
}

const isPaused = ({ effect }: DecisionBody) => effect === "escalate" || effect === "clarify";

/** Whether any later attempt of its call can exist: of what was allowed, or denied for good, there is none. */
export function mayBeFollowed({ body }: Decision): boolean {
  return isPaused(body) || body.mode === "observed" || (body.effect === "deny" && body.reason.retryable);
}

/** When the approval that a decision waits for runs out; undefined when it waits for none. */
export function approvalEndsMs({ approval, at }: Pick<DecisionBody, "approval" | "at">): number | undefined {
  if (!approval || approval.requirements.length === 0) return undefined;
  const soonest = Math.min(...approval.requirements.map(({ expiresSeconds }) => expiresSeconds));
  return Date.parse(at) + soonest * 1000;
}

/** What was answered so far, with what is answered now. */
function answersWith(before: JsonObject, ask: Ask): StrictObject {
  const merged = strictObject({ ...before, ...ask.answers.value }, "answers");
  const bytes = Buffer.byteLength(merged.canonical);
  if (bytes <= limits.callBytesMax) return merged;
  throw invalid("answers", `the answers of all attempts are ${bytes} bytes long together`, {
    limit: `${limits.callBytesMax} bytes`,
    fix: "send large content by reference",
  });
}

function further(last: Decision, ask: Ask, more: Partial<Attempt> = {}): Step {
  const number = last.body.attempt + 1;
  if (number > limits.attemptsPerCallMax) {
    throw new Fault("exhausted", "overloaded", `call ${ask.callId} has had ${limits.attemptsPerCallMax} attempts`, {
      field: "call_id",
      limit: `${limits.attemptsPerCallMax} attempts of one call`,
      fix: "ask under another call_id",
      retryable: false,
    });
  }
  const answers = answersWith(last.answers, ask);
  const held = pendingHold(last.body);
  return { step: "attempt", attempt: { number, answers, approvalExpired: false, ...(held && { held }), ...more } };
}

function pausedStep(last: Decision, ask: Ask, nowMs: number): Step {
  const endsMs = approvalEndsMs(last.body);
  if (endsMs !== undefined && nowMs >= endsMs) return further(last, ask, { approvalExpired: true });
  const isNew = answersWith(last.answers, ask).canonical !== canonical(last.answers);
  return isNew ? further(last, ask) : { step: "answer", decision: last };
}

function deniedStep(last: Decision, ask: Ask, nowMs: number): Step {
  const { reason, at } = last.body;
  const waitMs = reason.retry_after_ms ?? RETRY_AFTER_DEFAULT_MS;
  const again = reason.retryable && nowMs >= Date.parse(at) + waitMs;
  return again ? further(last, ask) : { step: "answer", decision: last };
}

/** A decision that was made, answered as a denial: what it allowed may not start any more. */
export function tooLate(last: Decision, { code, message }: Pick<Bar, "code" | "message">): Decision {
  const { would, approval, questions, execute_before, report_by, holds, hold, would_hold, covered_by, ...rest } =
    last.body;
  return {
    ...last,
    transformedInput: undefined,
    body: { ...rest, effect: "deny", reason: { code, message, retryable: false }, constraints: [], holds: [] },
  };
}

/** Why what was allowed may not start any more. In order of precedence. */
function over({ body }: Decision, outcome: string | undefined, bar: Bar | undefined, nowMs: number): Bar | undefined {
  if (outcome !== undefined) {
    const message =
      outcome === "not_executed"
        ? "This call was given up: it was reported as not executed. Ask under another call id."
        : `This call was already made; it was reported as ${outcome}.`;
    return { code: "already_executed", message, kills: false };
  }
  if (bar) return bar;
  if (body.execute_before === undefined || nowMs < Date.parse(body.execute_before)) return undefined;
  const message = "This call was allowed earlier and not started in time. Ask under another call id.";
  return { code: "decision_expired", message, kills: false };
}

/**
 * What a known call is answered, by its last decision (contract: a call and its attempts). `outcome` is the first that
 * was reported of it and `bar` what stands in its way now; both are asked only of what was allowed.
 */
export function nextStep(
  last: Decision,
  ask: Ask,
  nowMs: number,
  { outcome, bar }: { readonly outcome?: string | undefined; readonly bar?: Bar | undefined } = {},
): Step {
  if (isPaused(last.body)) return pausedStep(last, ask, nowMs);
  if (!mayStart(last)) return deniedStep(last, ask, nowMs);
  const end = over(last, outcome, bar, nowMs);
  if (!end) return { step: "answer", decision: last };
  // Where policies are only watched no call is stopped, and what is answered is recorded.
  if (last.body.mode === "observed" && !end.kills) {
    return further(last, ask, { forced: refusal(end.code, end.message) });
  }
  return { step: "answer", decision: tooLate(last, end) };
}

/** What a call is answered that its caller gave up before it arrived: it said that nothing ran, so nothing may. */
export function givenUp(ask: Ask): Attempt {
  const message =
    "This call was given up before it was decided: it was reported as not executed. Ask under another call id.";
  return { number: 2, answers: ask.answers, approvalExpired: false, forced: refusal("already_executed", message) };
}
