/** The human or service on whose behalf an agent acts. */
export interface Principal {
  readonly id: string;
  /** True when a token of a configured issuer proved it; false when this caller asserted it. */
  readonly verified: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** A limit on one argument of the tools that a glob names. */
export type Bound = {
  /** A glob over tool names. */
  readonly tool: string;
  /** A path into the call's input: `input.amount`. */
  readonly path: string;
} & (
  | { readonly max: number }
  | { readonly min: number }
  | { readonly in: readonly string[] }
  | { readonly prefix: string }
  /** A literal, or the reference `principal.id`. */
  | { readonly equals: string }
);

/** What a session may ever ask for. */
export interface Scope {
  /** Globs over tool names; none grants nothing. */
  readonly tools: readonly string[];
  readonly bounds?: readonly Bound[];
  /** Labels that the called tool must carry. */
  readonly labels?: Readonly<Record<string, string>>;
  /** How many delegations may follow below; default none. */
  readonly maxDepth?: number;
  readonly expiresAt?: Date;
}

/** What a session is opened for. */
export interface SessionRequest {
  /** The registered agent that runs. */
  readonly agent: string;
  /** Who it acts for, asserted by this caller. Neither this nor a token: it acts for the caller itself. */
  readonly principal?: { readonly id: string; readonly labels?: Readonly<Record<string, string>> } | undefined;
  /** A token of a configured issuer that proves who it acts for. */
  readonly subjectToken?: string | undefined;
  readonly purpose?: string | undefined;
  /** Default: all that the agent's ceiling allows. */
  readonly scope?: Scope | undefined;
  /** Names of the budgets that it draws from. */
  readonly budgets?: readonly string[] | undefined;
  /** At most 30 days; default 24 hours. */
  readonly maxLifetimeSeconds?: number | undefined;
  /** Opening again with the same run id answers the same session. Default: a random UUID. */
  readonly runId?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly agentVersion?: string | undefined;
  readonly model?: string | undefined;
  readonly promptDigest?: string | undefined;
  readonly framework?: string | undefined;
}

/** One run of one agent for one principal. Its token stays inside the client. */
export interface Session {
  /** UUIDv7. */
  readonly id: string;
  readonly agent: string;
  readonly principal: Principal;
  readonly purpose: string;
  readonly runId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** No renewal reaches beyond it. */
  readonly expiresAt: Date;
  /** Why its calls are denied from now on: session_closed, session_revoked ... undefined while it is open. */
  readonly endedBecause: string | undefined;
  /** Gets a new token now. The client does so by itself before the old one expires; rejects with `RemitError`. */
  renew(): Promise<void>;
  /** Closes it and all that was delegated from it. Calls that run go on and are reported. */
  close(): Promise<void>;
}
