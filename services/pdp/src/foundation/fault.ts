import type { ErrorReason, FaultKind } from "./reasons.ts";
import type { StartReason } from "./start-reasons.ts";

export type { FaultKind };

/** Why something failed: a row of `reasons.ts` (what callers may see) or `start-reasons.ts` (what operators do). */
export type FaultReason = ErrorReason | StartReason;

/** What a caller may know besides the message. */
export interface FaultDetail {
  /** The field to blame, as the caller spelt it. */
  readonly field?: string;
  /** The limit that was passed, with its unit. */
  readonly limit?: string;
  /** What to do about it. */
  readonly fix?: string;
  /** Whether the same request may pass later, where that is not what its kind says. */
  readonly retryable?: boolean;
}

/**
 * A request that cannot be answered with a decision. The message is safe to show to the caller; the cause is not and
 * stays in our log. `reason` is stable: agents branch on it.
 */
export class Fault extends Error {
  readonly kind: FaultKind;
  readonly reason: FaultReason;
  readonly detail: FaultDetail;

  constructor(kind: FaultKind, reason: FaultReason, message: string, detail: FaultDetail = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Fault";
    this.kind = kind;
    this.reason = reason;
    this.detail = detail;
  }

  /** Whether the same request may pass later. */
  get retryable(): boolean {
    return (
      this.detail.retryable ?? (this.kind === "unavailable" || this.kind === "exhausted" || this.kind === "timeout")
    );
  }
}

/** A request that can never be right. `field` names what to change. */
export function invalid(field: string, message: string, detail: Omit<FaultDetail, "field"> = {}): Fault {
  return new Fault("invalid", "request_invalid", message, { field, ...detail });
}
