import type { BudgetDocument } from "@remit/engine";
import { type Amount, formatAmount, parseAmount } from "../foundation/amount.ts";
import { canonical } from "../foundation/canonical.ts";
import { digestBytes } from "../foundation/digest.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import type { Registered } from "../policies/index.ts";
import type { Written } from "./policy-change.ts";

/** Which way an operator wants a limit to go. */
export type Direction = "raise" | "lower";

/** A limit that somebody wants, and what they believe it is now. */
export interface WantedLimit {
  readonly direction: Direction;
  /** An empty unit is that of the budget. `budget's`: of an account, that its own is taken away. */
  readonly limit: Amount | "budget's";
  /** In millionths; undefined: whatever it is. */
  readonly expected: bigint | undefined;
  readonly reason: string;
}

const ONE_CALL = 1_000_000n;

/** Whether a limit is to change, from what it is now. Throws where it is not of this unit, or would go the other way. */
export function movesLimit(wanted: WantedLimit & { readonly limit: Amount }, now: Amount): boolean {
  const { limit, expected, direction } = wanted;
  if (limit.unit !== "" && limit.unit !== now.unit) {
    throw invalid("limit.unit", `this is counted in ${now.unit}, not in ${limit.unit}`, {
      fix: `send a limit in ${now.unit}; another unit is another budget`,
    });
  }
  if (now.unit === "calls" && limit.micros % ONE_CALL !== 0n) {
    throw invalid("limit.value", "calls are counted whole", { fix: 'send a whole number such as "3"' });
  }
  if (expected !== undefined && expected !== now.micros) {
    throw new Fault("aborted", "revision_conflict", `the limit is ${formatAmount(now.micros)} by now`, {
      field: "expected",
      fix: "look at it, and ask again",
    });
  }
  if (limit.micros === now.micros) return false;
  const raises = limit.micros > now.micros;
  if (raises === (direction === "raise")) return true;
  const [side, other] = raises ? ["below", "RaiseBudget"] : ["above", "LowerBudget"];
  throw invalid(
    "limit.value",
    `${formatAmount(limit.micros)} is not ${side} the limit, which is ${formatAmount(now.micros)}`,
    {
      limit: `${side} ${formatAmount(now.micros)} ${now.unit}`,
      fix: `ask ${other} for this`,
    },
  );
}

/** The limit that a declaration says. */
export const declaredLimit = ({ spec }: BudgetDocument): Amount => parseAmount(spec.unit, spec.limit, "limit");

/** A declaration with another limit: a document as any other, whose text is its own JSON. */
export function withLimit(
  { document }: Pick<Registered<BudgetDocument>, "document">,
  micros: bigint,
): Written<BudgetDocument> {
  const next = { ...document, spec: { ...document.spec, limit: formatAmount(micros) } };
  return {
    document: next,
    source: `${JSON.stringify(next, null, 2)}\n`,
    digest: digestBytes("budget", canonical(next)),
  };
}
