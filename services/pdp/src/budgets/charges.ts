import type { Amount } from "../foundation/amount.ts";
import type { Cover } from "./covering.ts";

/** The unit that is counted and never priced. */
const CALLS = "calls";

/** What a call is charged, unit by unit: at most one amount a unit, `calls` among them. */
export interface Priced {
  readonly amounts: readonly Amount[];
  /** Whether it costs nothing in units that are not listed; else nobody knows what it costs in those. */
  readonly nothingElse: boolean;
}

/** What is known beforehand of what a call costs. */
export interface Quote {
  /** What its tool says, by the input; `none`: nothing in any unit. */
  readonly cost: readonly Amount[] | "none";
  /** What its caller says. */
  readonly estimate: readonly Amount[];
  /** The most that one call of its tool may cost. */
  readonly maximum: readonly Amount[];
}

const ONE_CALL: Amount = { unit: CALLS, micros: 1_000_000n };

/**
 * What is charged for a call: in each unit the greater of what its tool and its caller say; where neither says anything,
 * the most that its tool may cost. A call is one call, whatever anybody says.
 */
export function pricedBy({ cost, estimate, maximum }: Quote): Priced {
  // There are few units, so what is said of one is looked for in the list itself.
  const amounts = [ONE_CALL];
  const placeOf = ({ unit }: Amount) => amounts.findIndex((amount) => amount.unit === unit);
  const raise = (one: Amount) => {
    const at = placeOf(one);
    const before = amounts[at];
    if (!before) amounts.push(one);
    else if (at > 0 && one.micros > before.micros) amounts[at] = one;
  };
  if (cost !== "none") cost.forEach(raise);
  estimate.forEach(raise);
  for (const one of maximum) if (placeOf(one) === -1) amounts.push(one);
  return { amounts, nothingElse: cost === "none" };
}

/** What a call owes one account until it is settled. */
export interface Due extends Cover {
  readonly micros: bigint;
}

/** What a call owes. */
export interface Owing {
  readonly dues: readonly Due[];
  /** What covers it in units in which its tool says that it costs nothing: no books are opened for that, and none locked. */
  readonly spared: readonly Cover[];
}

/** Why nothing can be held for a call. */
export type Uncharged =
  /** A hard budget covers the call in a unit for which nobody says what it costs. */
  | { readonly code: "estimate_missing"; readonly budget: string; readonly unit: string }
  /** It costs something in a unit that no budget covers. */
  | { readonly code: "no_budget"; readonly unit: string; readonly micros: bigint };

const uncovered = (covers: readonly Cover[], { amounts }: Priced) =>
  amounts.find(({ unit, micros }) => unit !== CALLS && micros > 0n && !covers.some((cover) => cover.unit === unit));

/**
 * What a call owes each account that covers it, in the covers' order: all or none. Zero is owed too where somebody says
 * so, since what is spent beyond it must find its account. `unbudgeted`: whether what no budget covers may be spent.
 */
export function duesOf(covers: readonly Cover[], priced: Priced, unbudgeted: "allow" | "deny"): Owing | Uncharged {
  const dues: Due[] = [];
  const spared: Cover[] = [];
  for (const cover of covers) {
    const amount = priced.amounts.find(({ unit }) => unit === cover.unit);
    if (amount) dues.push({ ...cover, micros: amount.micros });
    else if (priced.nothingElse) spared.push(cover);
    else if (cover.hard) return { code: "estimate_missing", budget: cover.budget, unit: cover.unit };
    else dues.push({ ...cover, micros: 0n });
  }
  const spent = unbudgeted === "deny" ? uncovered(covers, priced) : undefined;
  return spent ? { code: "no_budget", ...spent } : { dues, spared };
}
