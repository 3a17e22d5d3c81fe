export type {
  Account,
  /** @public */
  AccountName,
  Balance,
  HeldPart,
  Move,
} from "./account.ts";
export { freeOf, refuses } from "./books.ts";
export type {
  BudgetLook,
  /** @public */
  BudgetStore,
  OpenHold,
} from "./budget-store.ts";
export { type Budgets, createBudgets } from "./budgets.ts";
export { type Due, duesOf, type Owing, type Priced, pricedBy, type Uncharged } from "./charges.ts";
export { type Cover, type CoveredCall, type Covering, compileCovering, compileCoveringInSlices } from "./covering.ts";
export {
  adoptionMoves,
  correctionMoves,
  expiryMoves,
  holdMoves,
  releaseMoves,
  settlementMoves,
  type UnitPart,
  watchedMoves,
} from "./moves.ts";
