export { type Admission, createAdmission } from "./admission.ts";
export type { Ask, Asker, Outcome, Told, WhoAsks } from "./ask.ts";
export { approvalEndsMs } from "./attempt.ts";
export { type AdminCall, createRecordCall, type Maker, type RecordCall } from "./audit.ts";
export { type Believing, createBelieving } from "./believing.ts";
export { type BreakerResets, createBreakerResets } from "./breaker-resets.ts";
export type { BreakerChange, BreakerStore, TrippedBreaker } from "./breaker-store.ts";
export { createBreakers } from "./breakers.ts";
export { type BudgetBooks, createBudgetBooks, type LimitSet, unknownBudget } from "./budget-books.ts";
export type {
  AccountBooks,
  AccountPlace,
  AccountQuery,
  BookDifference,
  BudgetBooksStore,
  BudgetStanding,
  Freeze,
  HeldCall,
  PlacedAccount,
} from "./budget-books-store.ts";
export type { BudgetChange, BudgetTarget } from "./budget-change.ts";
export { createBudgetFacts } from "./budget-facts.ts";
export { type BudgetHolds, createBudgetHolds, type ShownHold } from "./budget-holds.ts";
export type { Direction, WantedLimit } from "./budget-limits.ts";
export { burnDown } from "./burn-down.ts";
export type { Applied, Change, ChangeStore } from "./change-store.ts";
export { createChanges, type MakeChange } from "./changes.ts";
export { createCharging } from "./charging.ts";
export { countedLedger } from "./counted-ledger.ts";
export { prepareCoverings } from "./covering-of.ts";
export { type Custody, createCustody } from "./custody.ts";
export type { CustodyStore, ListedSigningKey } from "./custody-store.ts";
export { createDecide } from "./decide.ts";
export { type Decision, type Reason, revisionNumber, type Would } from "./decision.ts";
export type { Delegation } from "./delegate.ts";
export { createExpiring } from "./expiring.ts";
export { createExplain, type Explained } from "./explain.ts";
export { createExplainBudgets } from "./explain-budgets.ts";
export type { KeyChange } from "./key-change.ts";
export { createKeys, type Keys } from "./keys.ts";
export { createLifecycle, type Lifecycle } from "./lifecycle.ts";
export { type AdminCallQuery, createListAdminCalls, type ListAdminCalls } from "./list-admin-calls.ts";
export { createListDecisions, type DecisionQuery, type ListDecisions } from "./list-decisions.ts";
export { documentTables } from "./planned-rows.ts";
export type { PolicyChange } from "./policy-change.ts";
export { type Choice, storedPage } from "./policy-choice.ts";
export type { Approved, ChangedRow, NewProposal, Proposal, ProposalChange, ProposalState } from "./proposal.ts";
export { PROPOSAL_STATES } from "./proposal.ts";
export type { PlannedRow, PlannedTable, ProposalStore } from "./proposal-store.ts";
export { type Attempt, createProposals, type Proposals } from "./proposals.ts";
export type { ShownPolicy } from "./publishing.ts";
export type { ReadDocuments, ReadFiles } from "./reading.ts";
export { createRecentDecisions } from "./recent.ts";
export { createRedaction } from "./redaction.ts";
export { createRegistry, type PutEffect, type Registry } from "./registry.ts";
export { createReport, type Reported } from "./report.ts";
export type {
  NewRevocation,
  Revocation,
  RevocationChange,
  RevocationStore,
} from "./revocation-store.ts";
export { createRevocations, haltOf, type Revocations } from "./revocations.ts";
export { wholeEntries } from "./scan-entries.ts";
export { createSessions, type OpenedSession, type Opening, type SeenSession, type Sessions } from "./sessions.ts";
export type { RolloutNote } from "./sides.ts";
export { createSight } from "./sight.ts";
export { createStanding, type Standing } from "./standing.ts";
export { createTenants, type Tenants } from "./tenants.ts";
export { warmUpDecisions } from "./warm-up.ts";
