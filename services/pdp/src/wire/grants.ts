import type { DescMethod } from "@bufbuild/protobuf";
import { assert } from "../foundation/assert.ts";
import { type Caller, type Role, requireAnyRole } from "../identities/index.ts";

/** Whom an RPC is granted to, and what its entry says. */
export interface Grant {
  /**
   * Any one of these roles does. `callers`: whoever is a caller, of what is its own. `anybody`: nobody is asked who they
   * are.
   */
  readonly to: readonly Role[] | "callers" | "anybody";
  /** Fields of the request that the entry of an admin call repeats. Never a key, a token or the text of a document. */
  readonly tells?: readonly string[];
  /** What is asked besides the role, for whoever reads docs/roles.md. */
  readonly further?: string;
}

// Whoever changes policies or registrations sees what is there; what calls said of people is another matter.
const READ_POLICIES = ["viewer", "policy-author", "policy-approver", "operator"] as const;
const READ_ROLLOUTS = ["viewer", "policy-author", "policy-approver"] as const;
const READ_REGISTRY = ["viewer", "policy-author", "policy-approver", "operator"] as const;
// Keys of accounts, and what is held for whom, are of people; operators raise and resolve by them.
const READ_BOOKS = ["viewer", "operator"] as const;
const READ_DECISIONS = ["viewer", "approver"] as const;
// Whoever may propose or approve some of them.
const READ_CHANGES = ["viewer", "policy-author", "policy-approver", "operator"] as const;
const THE_METHODS = "What the proposed method takes.";
const OF_THE_CELL = ["cell-operator"] as const;
const OWN_SESSIONS = "Of a session that the caller opened; an owner's key speaks for every session of the tenant.";

const CELL_BINDINGS = "What could make somebody a cell operator takes that role.";

const put = { to: ["operator"], tells: ["document", "dryRun"] } as const;
const trusted = { to: ["viewer"], tells: ["pageToken"] } as const;
const listed = { to: READ_REGISTRY, tells: ["pageToken"] } as const;
const remove = { to: ["operator"], tells: ["names", "dryRun"] } as const;
const limit = { to: ["operator"], tells: ["budget", "accountId", "limit", "expected", "reason"] } as const;
const inForce = { to: ["policy-approver"], tells: ["choices", "expectedRevision"] } as const;
const rollout = { to: ["policy-approver"], tells: ["rolloutId", "expectedRevision"] } as const;
const session = { to: "callers", further: OWN_SESSIONS } as const;

/**
 * Every RPC that is served, and whom it is granted to. What is not on this page is not served: a method without a row
 * stops the start. docs/roles.md is written from it.
 */
export const GRANTS: Readonly<Record<string, Readonly<Record<string, Grant>>>> = {
  "remit.v1.DecisionService": {
    Decide: session,
    DecideBatch: session,
    Report: session,
    Exchange: session,
    Explain: { to: ["diagnose"], further: OWN_SESSIONS },
  },
  "remit.v1.SessionService": {
    OpenSession: {
      to: "callers",
      further: "For agents that the caller is bound to; a principal is named by callers that may assert them.",
    },
    RenewSession: session,
    GetSession: session,
    CloseSession: session,
    Delegate: session,
  },
  "remit.v1.TenantService": {
    GetTenant: {
      ...{ to: ["viewer", "operator", "cell-operator"], tells: ["tenant"] },
      further: "Any tenant but one's own takes cell-operator.",
    },
    ListTenants: { to: OF_THE_CELL, tells: ["pageToken"] },
    CreateTenant: { to: OF_THE_CELL, tells: ["tenant", "ownerName"] },
    UpdateTenant: {
      ...{ to: ["owner", "cell-operator"], tells: ["tenant", "status", "mode", "people"] },
      further: "Status, quotas and prefixes of workloads, and any tenant but one's own, take cell-operator.",
    },
  },
  "remit.v1.AgentService": { PutAgent: put, ListAgents: listed, DeleteAgents: remove },
  "remit.v1.ToolService": {
    PutTool: put,
    ListTools: listed,
    GetTool: { to: READ_REGISTRY, tells: ["name"] },
    DeleteTools: remove,
  },
  "remit.v1.BudgetService": {
    PutBudget: put,
    ListBudgets: listed,
    DeleteBudgets: remove,
    GetBudget: { to: READ_BOOKS, tells: ["name", "pageToken"] },
    ListAccounts: { to: READ_BOOKS, tells: ["budget", "keyPrefix", "usedBasisPointsMin", "sessionId", "pageToken"] },
    RaiseBudget: limit,
    LowerBudget: limit,
    FreezeBudget: { to: ["operator"], tells: ["budget", "accountId", "reason"] },
    UnfreezeBudget: { to: ["operator"], tells: ["budget", "accountId", "reason"] },
    ListHolds: {
      ...{ to: READ_BOOKS, tells: ["budget", "sessionId", "agent", "pending", "olderThan", "pageToken"] },
    },
    ResolveHold: { to: ["operator"], tells: ["holdId", "as", "reason"] },
    VerifyBudgets: { to: READ_BOOKS },
  },
  "remit.v1.GroupService": { PutGroup: put, ListGroups: listed, DeleteGroups: remove },
  "remit.v1.PolicyService": {
    PublishPolicies: { to: ["policy-author"], tells: ["files", "strict", "draft", "dryRun"] },
    ValidatePolicies: { to: ["policy-author"], tells: ["choices", "strict"] },
    ActivatePolicies: inForce,
    DeactivatePolicies: { to: ["policy-approver"], tells: ["policies", "expectedRevision"] },
    RollbackPolicies: inForce,
    ListPolicies: { to: READ_POLICIES, tells: ["pageToken"] },
    GetPolicies: { to: READ_POLICIES, tells: ["choices", "pageToken"] },
  },
  "remit.v1.RolloutService": {
    StartRollout: { to: ["policy-approver"], tells: ["choices", "shareBasisPoints", "expectedRevision"] },
    SetRolloutShare: { to: ["policy-approver"], tells: ["rolloutId", "shareBasisPoints", "expectedRevision"] },
    PromoteRollout: rollout,
    AbortRollout: rollout,
    GetRollout: { to: READ_ROLLOUTS, tells: ["rolloutId"] },
    TallyRollout: { to: READ_ROLLOUTS, tells: ["rolloutId", "pageToken"] },
  },
  "remit.v1.RevocationService": {
    Revoke: { to: ["operator"], tells: ["subject", "reason"] },
    Lift: { to: ["operator"], tells: ["revocationId", "reason"] },
    ListRevocations: { to: ["viewer", "operator"], tells: ["all", "halts", "pageToken"] },
  },
  "remit.v1.BreakerService": {
    ListBreakers: { to: READ_BOOKS, tells: ["all", "pageToken"] },
    ResetBreaker: { to: ["operator"], tells: ["sessionId", "tool", "reason"] },
  },
  "remit.v1.ChangeService": {
    ProposeChange: { to: "callers", tells: ["method", "reason"], further: THE_METHODS },
    ApproveChange: { to: "callers", tells: ["changeId", "digest"], further: `${THE_METHODS} Never their own.` },
    RejectChange: { to: "callers", tells: ["changeId", "reason"], further: THE_METHODS },
    WithdrawChange: { to: "callers", tells: ["changeId"], further: "Of a change that the caller proposed." },
    GetChange: { to: READ_CHANGES, tells: ["changeId"] },
    ListChanges: { to: READ_CHANGES, tells: ["state", "pageToken"] },
  },
  "remit.v1.KeyService": {
    ListSigningKeys: { to: OF_THE_CELL },
    RotateSigningKey: { to: OF_THE_CELL, tells: ["retireNow"] },
    RewrapKeys: { to: OF_THE_CELL },
    EnableSealing: { to: OF_THE_CELL },
    EraseTenant: { to: OF_THE_CELL, tells: ["tenant"] },
  },
  "remit.v1.CallerService": {
    CreateKey: {
      ...{ to: ["owner"], tells: ["name", "roles", "agents", "mayAssertPrincipals"] },
      further: "A key with the role cell-operator takes that role.",
    },
    ListCallers: trusted,
    RevokeKey: {
      ...{ to: ["owner"], tells: ["callerId"] },
      further: "The key of a cell operator takes that role.",
    },
    PutIssuer: { to: ["owner"], tells: ["issuer", "dryRun"], further: CELL_BINDINGS },
    ListIssuers: trusted,
    DeleteIssuers: { to: ["owner"], tells: ["names", "dryRun"], further: CELL_BINDINGS },
    PutBinding: { to: ["owner"], tells: ["binding", "dryRun"], further: CELL_BINDINGS },
    ListBindings: trusted,
    DeleteBindings: { to: ["owner"], tells: ["names", "dryRun"], further: CELL_BINDINGS },
  },
  "remit.v1.LedgerService": {
    GetDecision: { to: READ_DECISIONS, tells: ["decisionId"] },
    ListDecisions: {
      to: READ_DECISIONS,
      tells: ["since", "until", "agent", "tool", "sessionId", "rolloutId", "differs", "pageToken"],
    },
    ListAdminCalls: {
      ...{ to: ["viewer"], tells: ["since", "until", "method", "callerId", "outcome", "changesOnly", "pageToken"] },
    },
  },
  "remit.v1.LoginService": {
    GetLogin: { to: "anybody", further: "It tells what a browser would be sent, at most 20 times a second." },
    WhoAmI: { to: "callers" },
  },
};

/** Refuses a caller that a method is not granted to. */
export function requireGranted({ to }: Grant, caller: Caller): void {
  if (typeof to !== "string") requireAnyRole(caller, to);
}

/** The name that roles, entries and metrics know an RPC by. */
export const methodName = ({ parent, name }: DescMethod): string => `${parent.typeName}/${name}`;

/** Whom a method is granted to. Without a row it cannot be served. */
export function grantOf(method: DescMethod): Grant {
  const grant = GRANTS[method.parent.typeName]?.[method.name];
  assert(grant !== undefined, `${methodName(method)} is granted to nobody: it needs a row in wire/grants.ts`);
  return grant;
}
