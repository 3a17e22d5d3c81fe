import type { Amount } from "./amount.ts";

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
} /** A number bounds numbers; a decimal written as text bounds those too, and decimals written as text, digit for digit. */ & (
  | { readonly max: number | string }
  | { readonly min: number | string }
  | { readonly in: readonly (string | number | boolean)[] }
  /** Of text. One that begins with `/` is a directory: what climbs out of it is outside. */
  | { readonly prefix: string }
  /** A literal, or the reference `principal.id`. */
  | { readonly equals: string | number | boolean }
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
  /** Whether whoever exceeds it is told what would be allowed; default not. */
  readonly disclose?: boolean;
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
  /** Names of budgets that must stop it when they run out: hard ones that cover it, or it is not opened. */
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

/** What a session hands to another agent. */
export interface Delegation {
  /** A registered agent that is not in the chain yet. This caller must be bound to it. */
  readonly agent: string;
  /** A subset of the session's own scope. Without `expiresAt` it ends with that. */
  readonly scope: Scope;
  /** What it and everything below it may spend, at most one amount a unit; beside all budgets that cover it anyway. */
  readonly budget?: readonly Amount[] | undefined;
  readonly purpose?: string | undefined;
  /** At most what the session has left, which is the default. */
  readonly maxLifetimeSeconds?: number | undefined;
  /** Delegating again from the same session with the same run id answers the same session. Default: a random UUID. */
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
  /** The session that it was delegated from; undefined if it was opened. */
  readonly parentId: string | undefined;
  /** Why its calls are denied from now on: session_closed, session_revoked ... undefined while it is open. */
  readonly endedBecause: string | undefined;
  /**
   * Opens a session for another agent under this one, for the same principal and with no more than this one has. Rejects
   * with `RemitError`: `scope_exceeded` names every excess, `depth_exceeded`, `delegation_circular`.
   */
  delegate(delegation: Delegation): Promise<Session>;
  /** Gets a new token now. The client does so by itself before the old one expires; rejects with `RemitError`. */
  renew(): Promise<void>;
  /** Closes it and all that was delegated from it. Calls that run go on and are reported. */
  close(): Promise<void>;
}
