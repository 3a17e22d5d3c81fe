import type { Effect } from "../documents/policy.ts";
import type { JsonObject } from "../json.ts";

/** A rule of one version of a policy. */
export interface RuleRef {
  readonly policy: string;
  readonly version: number;
  readonly rule: string;
}

/** The decision codes an evaluation may end with. Stable: agents branch on them. */
export type VerdictCode =
  | "rule_allowed"
  | "rule_transformed"
  | "approval_granted"
  | "clarified"
  | "observed"
  | "no_rule_matched"
  | "rule_denied"
  | "evaluation_error"
  | "transform_conflict"
  | "transform_invalid"
  | "constraint_unsupported"
  | "tool_unknown"
  | "tool_suspended"
  | "tool_schema_changed"
  | "input_invalid"
  | "scope_exceeded"
  | "approval_required"
  | "facts_missing";

/** What the caller must honour when it runs the call. */
export type Constraint =
  | { readonly name: "timeout"; readonly durationMs: number }
  | { readonly name: "maxOutputBytes"; readonly integer: number }
  | { readonly name: "redactOutput"; readonly strings: readonly string[] }
  | { readonly name: "requireIdempotencyKey"; readonly flag: boolean };

export interface ApprovalRequirement {
  readonly rule: RuleRef;
  readonly approvers: readonly string[];
  readonly quorum: number;
  readonly expiresSeconds: number;
}

export interface Question {
  readonly id: string;
  readonly type: "string" | "number" | "boolean";
  readonly ask: string;
}

/** What enforcement would have answered. */
export interface WouldBe {
  readonly effect: Effect;
  readonly code: VerdictCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly rules: readonly RuleRef[];
  readonly detail?: string;
  readonly remedy?: string;
}

/** What the engine says to one call. Nothing is held or recorded yet. */
export interface Verdict {
  readonly effect: Effect;
  readonly code: VerdictCode;
  /** For the model: says what to do, never how the policy is made. */
  readonly message: string;
  /** Whether asking again, after an answer or an approval, can end otherwise. */
  readonly retryable: boolean;
  /** Every rule that agreed on the effect, in the order of the policies. */
  readonly rules: readonly RuleRef[];
  readonly mode: "enforced" | "observed";
  readonly would?: WouldBe;
  /** The whole input that must run, when effect is transform. */
  readonly transformedInput?: JsonObject;
  readonly constraints: readonly Constraint[];
  readonly approval?: { readonly requirements: readonly ApprovalRequirement[]; readonly summary?: string };
  readonly questions?: readonly Question[];
  /** Rules whose conditions were neither true nor false, and why. */
  readonly unknowns: readonly UnknownRule[];
  /** For callers with the role `diagnose`. */
  readonly detail?: string;
  /** What would make the call pass, where the policy says so. */
  readonly remedy?: string;
}

export interface UnknownRule {
  readonly rule: RuleRef;
  readonly why: string;
}
