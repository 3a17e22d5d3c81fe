import type { Denied, RuleRef } from "./decision.ts";
import type { PausedCall } from "./paused.ts";

/**
 * The call may not run; it was not run. `message` is written for the model: hand it back as the tool's result.
 */
export class DeniedError extends Error {
  /** Stable: rule_denied, budget_exhausted, unreachable ... Branch on it. */
  readonly code: string;
  readonly tool: string;
  readonly callId: string;
  /** For `remit why`; undefined when no decision reached this process. */
  readonly decisionId: string | undefined;
  /** True when the SDK refused, not Remit: it could not ask, or could not honour the answer. */
  readonly local: boolean;
  readonly retryable: boolean;
  /** Milliseconds to wait before asking again; undefined when nothing was said. */
  readonly retryAfterMs: number | undefined;
  readonly rules: readonly RuleRef[];
  /** What would make the call pass, if the policy discloses it. */
  readonly remedy: string | undefined;

  constructor(denied: Denied) {
    super(denied.reason.message, denied.cause === undefined ? undefined : { cause: denied.cause });
    this.name = "DeniedError";
    this.code = denied.reason.code;
    this.tool = denied.tool;
    this.callId = denied.callId;
    this.decisionId = denied.decisionId;
    this.local = denied.local;
    this.retryable = denied.reason.retryable;
    this.retryAfterMs = denied.reason.retryAfterMs;
    this.rules = denied.rules;
    this.remedy = denied.reason.remedy;
  }
}

/** The call waits: for people (escalate) or for answers (clarify). Keep `paused`, and resume the call with it. */
export class PausedError extends Error {
  /** Plain data without a token; survives `JSON.stringify`. */
  readonly paused: PausedCall;

  constructor(paused: PausedCall) {
    super(paused.reason.message);
    this.name = "PausedError";
    this.paused = paused;
  }

  /** The paused call, so that an error that is stored as JSON can be resumed from. */
  toJSON(): PausedCall {
    return this.paused;
  }
}

/** What is known of an error that Remit answered, or that kept its answer from coming. */
export interface RemitErrorFields {
  /** The canonical status: INVALID_ARGUMENT, UNAVAILABLE ... */
  readonly status: string;
  /** Stable: request_invalid, token_expired, call_id_reused, ledger_unavailable ... `transport` when none was sent. */
  readonly reason: string;
  readonly field?: string | undefined;
  readonly limit?: string | undefined;
  readonly fix?: string | undefined;
  readonly retryable: boolean;
  readonly cause?: unknown;
}

/** Remit answered with an error, or was used wrongly. Nothing was allowed. */
export class RemitError extends Error {
  readonly status: string;
  readonly reason: string;
  /** The field to blame, if one is. */
  readonly field: string | undefined;
  /** The limit that was passed, with its unit. */
  readonly limit: string | undefined;
  /** What to do about it. */
  readonly fix: string | undefined;
  /** Whether the same request may pass later. */
  readonly retryable: boolean;

  constructor(message: string, fields: RemitErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = "RemitError";
    this.status = fields.status;
    this.reason = fields.reason;
    this.field = fields.field || undefined;
    this.limit = fields.limit || undefined;
    this.fix = fields.fix || undefined;
    this.retryable = fields.retryable;
  }
}

/** A constraint of an allowed call was broken while it ran or by what it returned. The tool did run. */
export class ConstraintError extends Error {
  readonly constraint: "timeout" | "maxOutputBytes";
  /** Milliseconds or bytes. */
  readonly limit: number;
  readonly decisionId: string;

  constructor(constraint: "timeout" | "maxOutputBytes", limit: number, decisionId: string, message: string) {
    super(message);
    this.name = "ConstraintError";
    this.constraint = constraint;
    this.limit = limit;
    this.decisionId = decisionId;
  }
}

/**
 * A tool throws this (or a subclass) when it failed and is certain that nothing was spent or changed: the call is
 * reported as failed and what was held for it is given back. Any other error is reported as unknown.
 */
export class NothingSpent extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "NothingSpent";
  }
}

/** The client, or one of its options, was used wrongly. */
export function misuse(field: string, message: string, fix: string, reason = "request_invalid"): RemitError {
  return new RemitError(message, { status: "INVALID_ARGUMENT", reason, field, fix, retryable: false });
}
