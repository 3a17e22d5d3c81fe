import type { Amount } from "../foundation/amount.ts";
import type { StrictObject } from "../foundation/strict-json.ts";
import type { Caller, Session } from "../identities/index.ts";

/** Who asks: the workload, and the run of the agent that it speaks for. */
export interface Asker {
  readonly caller: Caller;
  readonly session: Session;
}

/** Finds out who asks. Called again when a security change came in between: the answer may be another. */
export type WhoAsks = () => Promise<Asker>;

/** One proposed call, checked for its form. */
export interface Ask {
  readonly callId: string;
  readonly tool: string;
  readonly input: StrictObject;
  readonly context: StrictObject;
  readonly answers: StrictObject;
  readonly estimate: readonly Amount[];
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
