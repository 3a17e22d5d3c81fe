import type { Amount } from "./amount.ts";
import type { Constraint } from "./constraints.ts";
import type { JsonObject } from "./json.ts";
import type { LocalCode } from "./local-codes.ts";
import type { PausedCall } from "./paused.ts";

/** What may happen to a call. */
export type Effect = "allow" | "transform" | "escalate" | "clarify" | "deny";

/** Whether an effect binds: `observed` runs whatever the policies say, and `would` holds what they say. */
export type Mode = "enforced" | "observed";

/** A rule of one version of a policy. */
export interface RuleRef {
  readonly policy: string;
  readonly version: number;
  readonly rule: string;
}

/** Why a decision came out as it did. */
export interface Reason {
  /** Stable: rule_denied, no_rule_matched, scope_exceeded ... */
  readonly code: string;
  /** Written for the model. */
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** Only for callers with the role `diagnose`. */
  readonly detail: string | undefined;
  /** What would make the call pass, if the policy discloses it. */
  readonly remedy: string | undefined;
}

/** What enforcement would have answered. */
export interface Would {
  /** undefined when this SDK does not know the effect. */
  readonly effect: Effect | undefined;
  readonly reason: Reason;
  readonly rules: readonly RuleRef[];
}

/** What every recorded decision says. */
export interface Recorded {
  readonly tool: string;
  readonly callId: string;
  /** UUIDv7. */
  readonly decisionId: string;
  /** Counts from 1 within the call. */
  readonly attempt: number;
  /** True when this decision had been made by an earlier request. */
  readonly replayed: boolean;
  readonly mode: Mode;
  /** Only when observed. */
  readonly would: Would | undefined;
  readonly reason: Reason;
  readonly rules: readonly RuleRef[];
  readonly holds: readonly { readonly budget: string; readonly amount: Amount }[];
  /** sha256:<hex> of the tenant's active policies. */
  readonly policyDigest: string;
  /** sha256:<hex> of what was proposed. */
  readonly inputDigest: string;
  /** sha256:<hex> of what must run. */
  readonly effectiveInputDigest: string;
  readonly revision: bigint;
  /** How old what the service knew of its tenant may have been when it answered. */
  readonly stalenessMs: number;
  /** Where the decision is recorded: the writer's number, and its number with that writer. */
  readonly record: { readonly epoch: bigint; readonly n: bigint } | undefined;
  readonly traceId: string;
  readonly evaluatedAt: Date | undefined;
}

/** The call may run, with `input` and no other. */
export interface Permitted extends Recorded {
  readonly effect: "allow" | "transform";
  /** What must run: a copy that is the caller's own. */
  readonly input: JsonObject;
  /** The decision's id: the same for every try of this call. */
  readonly idempotencyKey: string;
  readonly constraints: readonly Constraint[];
  /** A signature that a tool can verify offline, when one was asked for or the policy gives one. */
  readonly permit: string | undefined;
  /** By Remit's clock: after it the call must not start. */
  readonly executeBefore: Date | undefined;
  /** By Remit's clock: what is held counts as spent after it, unless a report comes. */
  readonly reportBy: Date | undefined;
}

/** A question that must be answered before the call is decided. */
export interface Question {
  readonly id: string;
  readonly type: "string" | "number" | "boolean";
  readonly ask: string;
}

/** What people are asked for. */
export interface Approval {
  readonly id: string;
  readonly state: "pending" | "granted" | "refused" | "expired" | "unknown";
  /** RFC 3339. */
  readonly expiresAt: string | undefined;
  readonly summary: string;
  readonly url: string;
}

/** The call waits; `paused` resumes it, in this process or another. */
export interface Paused extends Recorded {
  readonly effect: "escalate" | "clarify";
  readonly paused: PausedCall;
}

/** The call must not run. */
export interface Denied {
  readonly effect: "deny";
  readonly tool: string;
  readonly callId: string;
  /** undefined when no decision reached this process. */
  readonly decisionId: string | undefined;
  /** True when the SDK refused, not Remit. */
  readonly local: boolean;
  readonly reason: Reason;
  readonly rules: readonly RuleRef[];
  /** The recorded decision, when Remit made one that this SDK could read. */
  readonly recorded: Recorded | undefined;
  /** The error behind a local denial. */
  readonly cause: unknown;
}

/** The answer to one proposed call. Only `Permitted` may run. */
export type Decision = Permitted | Paused | Denied;

/** Whether the call may run. */
export function mayRun(decision: Decision): decision is Permitted {
  return decision.effect === "allow" || decision.effect === "transform";
}

/** A denial that the SDK makes itself. */
export function denyLocally(
  call: { readonly tool: string; readonly callId: string },
  code: LocalCode | (string & {}),
  message: string,
  more: {
    readonly retryable?: boolean;
    readonly recorded?: Recorded;
    readonly decisionId?: string;
    readonly cause?: unknown;
  } = {},
): Denied {
  return {
    effect: "deny",
    tool: call.tool,
    callId: call.callId,
    decisionId: (more.recorded?.decisionId ?? more.decisionId) || undefined,
    local: true,
    reason: {
      code,
      message,
      retryable: more.retryable ?? false,
      retryAfterMs: undefined,
      detail: undefined,
      remedy: undefined,
    },
    rules: more.recorded?.rules ?? [],
    recorded: more.recorded,
    cause: more.cause,
  };
}
