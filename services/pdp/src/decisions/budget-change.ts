import type { BudgetDocument } from "@remit/engine";
import type { Canonicalisable } from "../foundation/canonical.ts";
import { digestText } from "../foundation/digest.ts";
import type { NewRecord } from "../ledger/index.ts";
import type { Written } from "./policy-change.ts";

/** A whole budget, or one account of one. */
export type BudgetTarget = { readonly budget: string } | { readonly account: bigint };

/** How an operator ends a hold: all of it was spent, or nothing. */
export type HoldEnd = "spent" | "released";

interface Why {
  /** Id of the caller. */
  readonly by: string;
  readonly reason: string;
}

/** What operators do about budgets. */
export type BudgetChange =
  | ({
      readonly kind: "budget_limit_set";
      /** The limit before, a decimal, and the digest of the declaration that had it. */
      readonly before: string;
      readonly was: string;
    } & Written<BudgetDocument> &
      Why)
  | ({
      readonly kind: "account_limit_set";
      readonly account: bigint;
      /** Decimals. */
      readonly before: string;
      readonly limit: string;
      /** Null: its own is taken away, and `limit` is the budget's. */
      readonly limitMicros: bigint | null;
      /** Its own limit before; null: it had the budget's. */
      readonly ownMicros: bigint | null;
    } & Why)
  | ({ readonly kind: "budget_frozen" | "budget_unfrozen"; readonly target: BudgetTarget } & Why)
  | ({
      readonly kind: "hold_resolved";
      readonly hold: string;
      /** The decision that has it. */
      readonly decision: string;
      readonly as: HoldEnd;
      /** What ends the hold, sealed; recorded in the same commit. */
      readonly ending: NewRecord;
    } & Why);

const targetOf = (target: BudgetTarget) =>
  "budget" in target ? { budget: target.budget } : { account: String(target.account) };

/** What an entry says of it. */
export function toldOfBudgets(change: BudgetChange): Canonicalisable {
  const { reason } = change;
  switch (change.kind) {
    case "budget_limit_set": {
      const { document, before, digest } = change;
      const { metadata, spec } = document;
      const set = { budget: metadata.name, unit: spec.unit, before, limit: spec.limit };
      return { ...set, reason, digest: digestText(digest), document };
    }
    case "account_limit_set": {
      const cleared = change.limitMicros === null || undefined;
      return { account: String(change.account), before: change.before, limit: change.limit, cleared, reason };
    }
    case "budget_frozen":
    case "budget_unfrozen":
      return { ...targetOf(change.target), reason };
    case "hold_resolved":
      return { hold: change.hold, decision: change.decision, as: change.as, entry: change.ending.id, reason };
  }
}
