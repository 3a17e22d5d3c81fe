import type { ApprovalRequirement, Constraint, Effect, Question, RuleRef } from "@remit/engine";
import type { JsonObject } from "../foundation/canonical.ts";
import type { RecordRef } from "../ledger/index.ts";
import type { DecisionCode } from "./codes.ts";
import type { HeldAmount, SparedAmount } from "./holding.ts";
import type { RolloutNote } from "./sides.ts";
import type { BreakerNote } from "./stopped-call.ts";

/** Why, for the model and for code. */
export interface Reason {
  readonly code: DecisionCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retry_after_ms?: number;
  /** For callers that may diagnose. */
  readonly detail?: string;
  readonly remedy?: string;
}

export interface Would {
  readonly effect: Effect;
  readonly reason: Reason;
  readonly rules: readonly RuleRef[];
}

export interface PendingApproval {
  readonly state: "pending";
  readonly requirements: readonly ApprovalRequirement[];
  readonly summary?: string;
}

/**
 * What a decision says, as its entry holds it. An answer is made from this and from where it was recorded, the first
 * time and every time after: so an answer cannot say what the ledger does not.
 */
export interface DecisionBody {
  readonly id: string;
  readonly attempt: number;
  readonly effect: Effect;
  readonly mode: "enforced" | "observed";
  readonly would?: Would;
  readonly reason: Reason;
  readonly rules: readonly RuleRef[];
  readonly constraints: readonly Constraint[];
  readonly approval?: PendingApproval;
  readonly questions?: readonly Question[];
  /** Of the set that decided. */
  readonly policy_digest: string;
  /** Versions that were tried beside those in force. */
  readonly rollout?: RolloutNote;
  /** The breaker that stopped it, or would have. */
  readonly breaker?: BreakerNote;
  /** Of the input schema that the tool was registered with. */
  readonly tool_schema_digest?: string;
  readonly input_digest: string;
  readonly effective_input_digest: string;
  readonly revision: { readonly security: string; readonly policy: string };
  readonly trace_id: string;
  readonly at: string;
  readonly execute_before?: string;
  readonly report_by?: string;
  /** What is held for it until it is reported, or its approval ends. The narrowest account comes first. */
  readonly holds: readonly HeldAmount[];
  /** The id of that hold: of the attempt that took it first. */
  readonly hold?: string;
  /** What would be held, were its policies not only watched. */
  readonly would_hold?: readonly HeldAmount[];
  /** What covers it in units in which its tool says that it costs nothing: charged with what it is reported to have cost. */
  readonly covered_by?: readonly SparedAmount[];
  /** Paths of the call whose values are not in the entry. */
  readonly redacted?: readonly string[];
}

/** A verdict that has been recorded. */
export interface Decision {
  readonly body: DecisionBody;
  readonly record: RecordRef;
  /** The whole input that must run, when the effect is transform. */
  readonly transformedInput: JsonObject | undefined;
  /** Everything that its call had been answered when it was judged. */
  readonly answers: JsonObject;
  /** Id of the caller that asked. */
  readonly askedBy: string;
  /** The id of the call that asked first: a business key has calls of several ids. */
  readonly callId: string;
  readonly tool: string;
  /** True when an earlier request had it made. */
  readonly replayed: boolean;
}

/** What a report reads of the decision that it is about: none of it ever changes. */
export interface ReportedOn extends Pick<Decision, "askedBy" | "callId" | "tool"> {
  readonly body: Pick<
    DecisionBody,
    | "id"
    | "effect"
    | "mode"
    | "at"
    | "report_by"
    | "input_digest"
    | "effective_input_digest"
    | "holds"
    | "hold"
    | "would_hold"
    | "covered_by"
  >;
}

/** The two counters of a tenant as one number that only grows: what `revision` and `min_revision` mean on the wire. */
export function revisionNumber(revisions: { readonly security: bigint; readonly policy: bigint }): bigint {
  return revisions.security + revisions.policy;
}
