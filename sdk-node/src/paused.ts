import type { Amount } from "./amount.ts";
import type { Approval, Question, Reason } from "./decision.ts";
import { misuse } from "./errors.ts";
import type { JsonObject } from "./json.ts";

/**
 * A call that waits, as plain data: store it as JSON, resume it in any process that has the session. It holds what was
 * proposed and no token.
 */
export interface PausedCall {
  readonly v: 1;
  /** escalate waits for people, clarify for answers. */
  readonly effect: "escalate" | "clarify";
  readonly sessionId: string;
  readonly callId: string;
  readonly tool: string;
  readonly input: JsonObject;
  readonly context?: JsonObject;
  readonly estimate?: readonly Amount[];
  readonly decisionId: string;
  readonly attempt: number;
  readonly reason: Pick<Reason, "code" | "message">;
  /** What an escalated call waits for. */
  readonly approval?: Approval;
  /** What a call to be clarified wants to know. */
  readonly questions: readonly Question[];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Reads a paused call back from what `JSON.parse` made of it. Throws `RemitError` when it is none. */
export function readPausedCall(value: unknown): PausedCall {
  const whole =
    isObject(value) &&
    value.v === 1 &&
    (value.effect === "escalate" || value.effect === "clarify") &&
    [value.sessionId, value.callId, value.tool, value.decisionId].every(isText) &&
    isObject(value.input) &&
    isObject(value.reason) &&
    Array.isArray(value.questions);
  if (!whole) throw misuse("paused", "this is not a paused call of this SDK", "pass what PausedError.paused held");
  return value as unknown as PausedCall;
}
