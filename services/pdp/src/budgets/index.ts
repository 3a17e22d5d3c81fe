export type { Account, AccountName, Balance, HeldPart, Move } from "./account.ts";
export { type Books, exactMicros, freeOf, MICROS_MAX, moved, refuses } from "./books.ts";
export type { BudgetStore, OpenHold } from "./budget-store.ts";
export { type Due, duesOf, priceIn, type Quote, type Uncharged } from "./charges.ts";
export { type Cover, type CoveredCall, type CoveredSession, type Covering, compileCovering } from "./covering.ts";
export {
  adoptionMoves,
  correctionMoves,
  expiryMoves,
  holdMoves,
  isBeyond,
  releaseMoves,
  settlementMoves,
  type UnitPart,
  watchedMoves,
} from "./moves.ts";
