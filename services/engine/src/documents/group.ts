import type { Scope } from "../judge/scope.ts";
import type { Metadata } from "./policy.ts";

/** People whom approvals name together, as `group:<name>`. Plain JSON, as it is stored. */
export interface GroupDocument {
  readonly apiVersion: "remit/v1";
  readonly kind: "Group";
  readonly metadata: Metadata;
  readonly spec: GroupSpec;
}

export interface GroupSpec {
  readonly members: readonly string[];
  /** What no session for one of its members may ever exceed. */
  readonly ceiling?: Scope;
}
