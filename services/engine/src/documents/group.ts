import type { Metadata } from "./policy.ts";

/** People whom approvals name together, as `group:<name>`. Plain JSON, as it is stored. */
export interface GroupDocument {
  readonly apiVersion: "remit/v1";
  readonly kind: "Group";
  readonly metadata: Metadata;
  readonly spec: { readonly members: readonly string[] };
}
