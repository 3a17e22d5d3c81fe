import type { AgentDocument, BudgetDocument, GroupDocument, ToolDocument } from "@remit/engine";
import type { Amount } from "../foundation/amount.ts";
import type { Binding, Caller, Issuer, Session } from "../identities/index.ts";
import type { NewRecord, RecordRef } from "../ledger/index.ts";
import type { PolicyVersion, Quotas, Revisions, TenantChanges } from "../policies/index.ts";
import type { BreakerChange } from "./breaker-store.ts";
import type { BudgetChange } from "./budget-change.ts";
import type { KeyChange } from "./key-change.ts";
import type { CheckedAt, PolicyChange, Written } from "./policy-change.ts";
import type { Approved, ProposalChange } from "./proposal.ts";
import type { RevocationChange } from "./revocation-store.ts";

/** Everything that can change who may do what. Each is applied and recorded in one commit. */
export type Change =
  | {
      readonly kind: "tenant_created";
      readonly owner: Caller;
      readonly keyHash: Uint8Array;
      readonly quotas: Quotas;
    }
  | { readonly kind: "tenant_set"; readonly tenant: string; readonly set: TenantChanges }
  | { readonly kind: "key_created"; readonly caller: Caller; readonly keyHash: Uint8Array }
  | { readonly kind: "key_revoked"; readonly callerId: string }
  | { readonly kind: "caller_sighted"; readonly caller: Caller }
  | { readonly kind: "issuer_put"; readonly issuer: Issuer }
  | { readonly kind: "binding_put"; readonly binding: Binding }
  | { readonly kind: "issuers_deleted" | "bindings_deleted"; readonly names: readonly string[] }
  | ({ readonly kind: "agent_put" } & Written<AgentDocument>)
  | ({ readonly kind: "tool_put" } & Written<ToolDocument> & CheckedAt)
  | ({ readonly kind: "budget_put" } & Written<BudgetDocument>)
  | ({ readonly kind: "group_put" } & Written<GroupDocument>)
  | {
      readonly kind: "tools_deleted" | "agents_deleted" | "budgets_deleted" | "groups_deleted";
      readonly names: readonly string[];
    }
  | {
      readonly kind: "session_opened" | "session_delegated";
      readonly session: Session;
      /** What it is given to spend, at most one amount a unit: accounts of its own. */
      readonly budget?: readonly Amount[];
    }
  | { readonly kind: "session_closed"; readonly sessionId: string }
  | RevocationChange
  | BreakerChange
  | BudgetChange
  | PolicyChange
  | KeyChange
  | ProposalChange;

/** A change that was made. */
export interface Applied {
  readonly revisions: Revisions;
  readonly record: RecordRef;
  /** The versions that a publication has now, its own and those that were there with the same content. */
  readonly versions: readonly (PolicyVersion & { readonly created: boolean })[];
}

/** Why a change was not made; nothing was changed or recorded then. */
export type ChangeRefusal = "revision_conflict" | "exists" | "missing";

/** What the changes need of a store. */
export interface ChangeStore {
  /**
   * Applies a change and records its entry in one commit. Throws `ledger_unavailable` when the store is away;
   * answers a refusal when the change does not fit what is there. `under`: the proposal that it was approved as, which
   * is applied with it; without one a change that takes several people throws `change_needs_approval`.
   */
  apply(
    tenant: string,
    change: Change,
    entry: NewRecord,
    under?: Approved,
  ): Promise<{ readonly ok: true; readonly value: Applied } | { readonly ok: false; readonly refusal: ChangeRefusal }>;
  /** Whether the store holds any tenant yet. */
  isEmpty(): Promise<boolean>;
}
