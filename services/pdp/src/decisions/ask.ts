import type { Facts } from "@remit/engine";
import type { CoveredCall } from "../budgets/index.ts";
import type { Amount } from "../foundation/amount.ts";
import type { StrictObject } from "../foundation/strict-json.ts";
import type { Caller, Session } from "../identities/index.ts";
import type { PreparedScopes } from "./scopes-read.ts";

/** Who asks: the workload, and the run of the agent that it speaks for. */
export interface Asker {
  readonly caller: Caller;
  readonly session: Session;
  /** The tenant's security revision that both are known under: what they are allowed may be less at a later one. */
  readonly security: bigint;
}

/**
 * Finds out who asks. Called again when a security change came in between: the answer may be another. `anew`: from the
 * store, whatever is remembered.
 */
export type WhoAsks = (anew?: boolean) => Promise<Asker>;

/** What a call was judged under: the older of its asker and its policies, so that the commit refuses it if either is. */
export function judgedUnder(asker: Asker, revisions: { readonly security: bigint }): bigint {
  return asker.security < revisions.security ? asker.security : revisions.security;
}

/** One proposed call, checked for its form. */
export interface Ask {
  readonly callId: string;
  readonly tool: string;
  readonly input: StrictObject;
  readonly context: StrictObject;
  readonly answers: StrictObject;
  readonly estimate: readonly Amount[];
  /** What its policies read of budgets, once that is known. */
  readonly budgets?: Facts["budget"];
  /** What the scopes that bind it come to, where they are many; absent where they are read while it is judged. */
  readonly scopes?: PreparedScopes;
  /** What stands in keys of accounts for what tools redact, where budgets are kept by that. */
  readonly mark?: CoveredCall["mark"];
  /** Of the input schema that the caller goes by; empty when it does not say. */
  readonly schemaDigest: string;
  readonly approvalId: string;
  readonly supportedConstraints: readonly string[];
  readonly wantPermit: boolean;
  /** 0 when the caller does not ask for one. */
  readonly minRevision: bigint;
  /** 32 hex digits. */
  readonly traceId: string;
  /** How long the caller still waits. */
  readonly withinMs: number;
}

export type Outcome = "running" | "succeeded" | "failed" | "not_executed" | "unknown";

/** What a caller says happened, checked for its form. */
export interface Told {
  readonly subject: { readonly decisionId: string } | { readonly callId: string };
  readonly outcome: Outcome;
  readonly actual: readonly Amount[];
  readonly inputDigest: string;
  readonly outputDigest: string;
  readonly labels: readonly string[];
  readonly startedAtMs: number | undefined;
  readonly durationMs: number | undefined;
  readonly traceId: string;
}
