import type { Scope } from "../judge/scope.ts";
import type { Mode } from "./mode.ts";
import type { Metadata } from "./policy.ts";

/** A registered software identity. Plain JSON, as it is stored. */
export interface AgentDocument {
  readonly apiVersion: "remit/v1";
  readonly kind: "Agent";
  readonly metadata: Metadata;
  readonly spec: AgentSpec;
}

export interface AgentSpec {
  readonly labels?: Readonly<Record<string, string>>;
  /** What no session of this agent may ever exceed. */
  readonly ceiling: Scope;
  readonly status: "active" | "suspended";
  /** What this document says of its agent's calls; absent: nothing. */
  readonly mode?: Mode;
}
