import type { JsonObject, JsonValue } from "../json.ts";
import type { LimitsDocument } from "./limits.ts";
import type { Risk } from "./tool.ts";

/** What may happen to a call, in the order of precedence: the first that matches wins. */
export const effects = ["deny", "clarify", "escalate", "transform", "allow"] as const;
export type Effect = (typeof effects)[number];

export interface Metadata {
  readonly name: string;
  readonly owner?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly description?: string;
}

/** A policy as it is stored and compiled: plain JSON, lists where the author may write one or many. */
export interface PolicyDocument {
  readonly apiVersion: "remit/v1";
  readonly kind: "Policy";
  readonly metadata: Metadata;
  readonly spec: PolicySpec;
}

export const policyLanguages = ["native", "rego", "cedar"] as const;

interface PolicySpec {
  /** Absent: native, the rules below. */
  readonly language?: (typeof policyLanguages)[number];
  /** Absent: every agent. */
  readonly appliesTo?: { readonly agents: { readonly matchLabels: Readonly<Record<string, string>> } };
  readonly mode: "enforce" | "observe";
  readonly variables?: Readonly<Record<string, string>>;
  /** When breakers stop calls of the agents that this policy applies to. */
  readonly limits?: LimitsDocument;
  /** None where the policy is written in another language. */
  readonly rules: readonly RuleDocument[];
  /** Of another language: the calls it is asked about. */
  readonly match?: MatchDocument;
  /** Rego: what `opa build -t wasm` made, in base64, the entrypoint to ask, data beside the bundle's own. */
  readonly bundle?: string;
  readonly entrypoint?: string;
  readonly data?: JsonObject;
  /** Rego: the questions that its answers may ask. */
  readonly questions?: readonly QuestionDocument[];
  /** Cedar: the policies, and the schema that they are written against. */
  readonly source?: string;
  readonly schema?: string;
}

export interface RuleDocument {
  readonly id: string;
  readonly description?: string;
  readonly match: MatchDocument;
  /** All must hold. */
  readonly when?: readonly string[];
  /** The rule does not match when all of these hold. */
  readonly unless?: readonly string[];
  readonly effect: Effect;
  readonly constraints?: ConstraintsDocument;
  readonly approval?: ApprovalDocument;
  /** By path below `input`: a literal, or `{ expr }`. */
  readonly set?: Readonly<Record<string, JsonValue>>;
  readonly questions?: readonly QuestionDocument[];
  /** What the model is told. */
  readonly message?: string;
  /** What would make the call pass; told to the model. */
  readonly remedy?: string;
}

/** What is named must all fit: one of the tools, one of the servers, one of the risk classes. */
export interface MatchDocument {
  readonly tools?: readonly string[];
  readonly servers?: readonly string[];
  readonly risk?: readonly Risk[];
}

interface ApprovalDocument {
  /** `group:<name>`, a person's id, or `principal`. */
  readonly approvers: readonly string[];
  readonly quorum: number;
  /** A duration such as `15m`. */
  readonly expires: string;
  readonly summary?: string;
}

export interface QuestionDocument {
  readonly id: string;
  readonly type: "string" | "number" | "boolean";
  readonly ask: string;
}

export interface ConstraintsDocument {
  /** A duration such as `10s`. */
  readonly timeout?: string;
  readonly maxOutputBytes?: number;
  readonly redactOutput?: readonly string[];
  readonly requireIdempotencyKey?: boolean;
}
