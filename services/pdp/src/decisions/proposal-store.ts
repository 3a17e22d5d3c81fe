import type { JsonObject } from "../foundation/canonical.ts";
import type { ChangedRow, Proposal, ProposalState } from "./proposal.ts";

/** A row that is to be written: `key` finds it, `set` is what becomes of it. Without a key it is new; null deletes it. */
export interface PlannedRow {
  readonly table: PlannedTable;
  readonly key: JsonObject | undefined;
  readonly set: JsonObject | null;
}

export type PlannedTable =
  | "active_policy"
  | "agent"
  | "tool"
  | "budget"
  | "budget_freeze"
  | "account"
  | "hold_resolution"
  | "principal_group"
  | "policy_rollout"
  | "revocation"
  | "issuer"
  | "issuer_audience"
  | "binding"
  | "caller"
  | "tenant";

export interface ProposalQuery {
  readonly state: ProposalState | undefined;
  /** Those proposed before this one. */
  readonly before: string | undefined;
  readonly most: number;
}

/** What proposals are read from. What changes them goes through the recorded changes. */
export interface ProposalStore {
  proposal(tenant: string, id: string): Promise<Proposal | null>;
  /** The newest first; without what they say in full. */
  proposals(tenant: string, query: ProposalQuery): Promise<readonly Proposal[]>;
  /** What the planned rows are now, and what they would become; those that would stay as they are left out. */
  rowsNow(tenant: string, planned: readonly PlannedRow[]): Promise<readonly ChangedRow[]>;
  /** Proposals that wait although their time has run out. */
  overdue(): Promise<readonly { readonly tenant: string; readonly id: string }[]>;
}
