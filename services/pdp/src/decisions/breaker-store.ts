/** A breaker by its last trip, where that was not set aside. */
export interface TrippedBreaker {
  /** The decision that opened it. */
  readonly decision: string;
  readonly session: string;
  /** The session that was opened, which that one is or descends from. */
  readonly run: string;
  readonly agent: string;
  readonly tool: string;
  readonly kind: string;
  readonly reach: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly level: number;
  /** It stops nothing. */
  readonly observed: boolean;
  readonly open: boolean;
  /** Of spending: which budget's window; else empty. */
  readonly budget: string;
}

export interface BreakerQuery {
  /** Those too that are closed again and remembered. */
  readonly all: boolean;
  /** Only those that opened before this decision. */
  readonly before: string | undefined;
  readonly most: number;
}

/** That an operator sets aside what was counted until then. */
export interface BreakerChange {
  readonly kind: "breaker_reset";
  readonly reset: {
    readonly id: string;
    /** Exactly one of a run and an agent: of the one what was counted, of the other what was spent. */
    readonly run: string | undefined;
    readonly agent: string | undefined;
    /** Undefined: every tool. */
    readonly tool: string | undefined;
    readonly reason: string;
    readonly atMs: number;
    /** Id of the caller. */
    readonly by: string;
  };
}

/** What is read of breakers for operators. */
export interface BreakerStore {
  /** The newest first. */
  tripped(tenant: string, query: BreakerQuery, nowMs: number): Promise<TrippedBreaker[]>;
  /** The session that was opened, which a session is or descends from. */
  runOf(tenant: string, session: string): Promise<string | null>;
}
