import type { Amount } from "../foundation/amount.ts";
import type { Cover } from "./covering.ts";

/** One call, in the unit that is counted and never priced. */
const ONE_CALL_MICROS = 1_000_000n;
const CALLS = "calls";

/** What is known beforehand of what a call costs. */
export interface Quote {
  /** What its tool says, by the input; `none`: nothing in any unit. */
  readonly cost: readonly Amount[] | "none";
  /** What its caller says. */
  readonly estimate: readonly Amount[];
  /** The most that one call of its tool may cost. */
  readonly maximum: readonly Amount[];
}

/** What a call owes one account until it is settled. */
export interface Due extends Cover {
  readonly micros: bigint;
}

/** Why nothing can be held for a call. */
export type Uncharged =
  /** A hard budget covers the call in a unit for which nobody says what it costs. */
  | { readonly code: "estimate_missing"; readonly budget: string; readonly unit: string }
  /** It costs something in a unit that no budget covers. */
  | { readonly code: "no_budget"; readonly unit: string; readonly micros: bigint };

const listed = (amounts: readonly Amount[], unit: string) => amounts.find((amount) => amount.unit === unit)?.micros;

/**
 * What is held for a call in one unit, in millionths: the greater of what its tool and its caller say, else the most that
 * its tool may cost. Undefined where nobody says anything.
 */
export function priceIn(unit: string, { cost, estimate, maximum }: Quote): bigint | undefined {
  if (unit === CALLS) return ONE_CALL_MICROS;
  const said = listed(estimate, unit);
  const costs = cost === "none" ? undefined : listed(cost, unit);
  if (said === undefined && costs === undefined) return listed(maximum, unit) ?? (cost === "none" ? 0n : undefined);
  if (said === undefined || costs === undefined) return said ?? costs;
  return said > costs ? said : costs;
}

function uncovered(covers: readonly Cover[], { cost, estimate, maximum }: Quote): Uncharged | undefined {
  for (const amounts of [cost === "none" ? [] : cost, estimate, maximum]) {
    for (const { unit } of amounts) {
      const micros = priceIn(unit, { cost, estimate, maximum });
      if (unit === CALLS || micros === undefined || micros === 0n) continue;
      if (!covers.some((cover) => cover.unit === unit)) return { code: "no_budget", unit, micros };
    }
  }
  return undefined;
}

/**
 * What a call owes each account that covers it, in the covers' order: all or none. Zero is owed too where somebody says
 * so, since what is spent beyond it must find its account. `unbudgeted`: whether what no budget covers may be spent.
 */
export function duesOf(
  covers: readonly Cover[],
  quote: Quote,
  unbudgeted: "allow" | "deny",
): { readonly dues: readonly Due[] } | Uncharged {
  const dues: Due[] = [];
  for (const cover of covers) {
    const micros = priceIn(cover.unit, quote);
    if (micros === undefined && cover.hard) {
      return { code: "estimate_missing", budget: cover.budget, unit: cover.unit };
    }
    const costsNothing = quote.cost === "none" && micros === 0n && listed(quote.estimate, cover.unit) === undefined;
    if (!costsNothing) dues.push({ ...cover, micros: micros ?? 0n });
  }
  return (unbudgeted === "deny" ? uncovered(covers, quote) : undefined) ?? { dues };
}
