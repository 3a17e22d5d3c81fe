import { type Due, freeOf, type Uncharged } from "../budgets/index.ts";
import { formatAmount } from "../foundation/amount.ts";
import { accountTakesMax, type Balance } from "../foundation/balance.ts";
import { rfc3339 } from "../foundation/clock.ts";
import { limits } from "../foundation/limits.ts";
import type { Short } from "../ledger/index.ts";
import type { DecisionCode } from "./codes.ts";
import { type Finding, refusal } from "./finding.ts";
import type { Holding } from "./holding.ts";
import type { SpendingStop } from "./spending-stop.ts";

/** A denial for want of money: whom it is for, what stood in the way, and when it may be another. */
export type Shortage = Pick<Finding, "code" | "message" | "retryable"> & {
  readonly detail: string;
  readonly retryAfterMs?: number;
  /** Of what is out of the ordinary. */
  readonly spending?: SpendingStop;
};

const nameOf = ({ budget, key }: Pick<Due, "budget" | "key">) => (key === "" ? budget : `${budget} (${key})`);
const decimal = (micros: bigint) => (micros < 0n ? `-${formatAmount(-micros)}` : formatAmount(micros));

/** Why nothing can be held for a call, whatever is left. */
export function unchargeable(why: Uncharged): Shortage {
  const { code, unit } = why;
  if (code === "estimate_missing") {
    return {
      ...{ code, retryable: false },
      message: `It is not known what this call costs in ${unit}. Ask under another call id, with an estimate.`,
      detail: `budget ${why.budget} covers the call in ${unit}; neither an estimate nor its tool says what it costs in that`,
    };
  }
  return {
    ...{ code, retryable: false },
    message: `No budget is there for what this call costs in ${unit}. Who runs this service can declare one.`,
    detail: `${formatAmount(why.micros)} ${unit} is needed, and no budget in ${unit} covers the call`,
  };
}

/** A budget that covers the call keeps an account for as many keys as it may in this window, and none for this one. */
export function keepsNoMore(due: Pick<Due, "budget" | "key">): Shortage {
  return {
    ...{ code: "account_limit", retryable: false },
    message: "A budget of this call keeps accounts of as many as it may. Tell who you work for.",
    detail:
      `budget ${nameOf(due)}: it has opened ${limits.budgetAccountsOpenMax} accounts in this window, the most that one may ` +
      "(budgetAccountsOpenMax); keep it by what has fewer values (per), or give it a shorter window",
  };
}

/** More covers the call than one call may be charged to. */
export function coveredByMany(covers: readonly Pick<Due, "budget" | "key">[]): Shortage {
  const named = covers.slice(0, 2).map(({ budget }) => budget);
  return {
    ...{ code: "account_limit", retryable: false },
    message: "More budgets cover this call than one call may be charged to. Tell who you work for.",
    detail:
      `${covers.length} accounts would be charged, of budgets such as ${named.join(" and ")}; at most ` +
      `${limits.callAccountsMax} may be (callAccountsMax): declare fewer that cover it, or give them narrower owners`,
  };
}

const ORDER = ["frozen", "exhausted", "full", "unusual", "locked", "crowded"] as const;
type Bar = (typeof ORDER)[number];

const CODES = {
  frozen: "budget_frozen",
  exhausted: "budget_exhausted",
  full: "budget_exhausted",
  unusual: "anomalous_spend",
  locked: "budget_unavailable",
  crowded: "budget_unavailable",
} as const satisfies Record<Bar, DecisionCode>;

/** The code that a call is denied with for want of room in an account. */
export const codeOfShort = (why: Bar): DecisionCode => CODES[why];

/** Of an account that refuses by no limit of its own. */
function fullDetail({ held, posted, overage }: Balance, unit: string): string {
  const rest = held > 0n ? `, ${decimal(held)} of it held by calls under way` : "";
  return (
    `${decimal(held + posted + overage)} ${unit} are counted already${rest}: no account, hard or soft, lets in more than ` +
    `${decimal(accountTakesMax)}; what estimates, costs and reports say of it is to be looked at`
  );
}

function detailOf(holding: Holding, shorts: readonly Short[]): string {
  return shorts
    .map(({ account, why, balance }) => {
      const due = holding.owed.find((one) => one.account.id === account);
      if (!due) return `account ${account}: ${why}`;
      const { unit } = due;
      const asked = `budget ${nameOf(due)}: ${decimal(due.micros)} ${unit} needed`;
      if (!balance) return `${asked}, ${why}`;
      if (why === "full") return `${asked}, ${fullDetail(balance, unit)}`;
      const left = `${decimal(freeOf(balance))} of ${decimal(balance.limit)} ${unit} left`;
      const rest = balance.held > 0n ? `, ${decimal(balance.held)} held by calls under way` : "";
      return `${asked}, ${left}${rest}${why === "exhausted" ? "" : `, ${why}`}`;
    })
    .join("; ");
}

/**
 * When a call that does not fit may: when its windows reopen, or as soon as what is held for others comes back. Undefined
 * where it never fits.
 */
function fitsAgain(
  holding: Holding,
  shorts: readonly Short[],
  nowMs: number,
): { readonly afterMs?: number } | undefined {
  let afterMs: number | undefined;
  for (const { account, balance, why } of shorts) {
    const due = holding.owed.find((one) => one.account.id === account);
    const most = why === "full" ? accountTakesMax : balance?.limit;
    if (!due || !balance || most === undefined || due.micros > most) return undefined;
    const returns = due.micros <= most - balance.posted - balance.overage;
    if (returns) continue;
    const { closesAtMs } = due.account;
    if (!Number.isFinite(closesAtMs)) return undefined;
    afterMs = Math.max(afterMs ?? 0, closesAtMs - nowMs);
  }
  return afterMs === undefined ? {} : { afterMs: Math.max(1, afterMs) };
}

const PLAN = "Plan without it, or tell who you work for.";

function exhausted(holding: Holding, shorts: readonly Short[], nowMs: number): Omit<Shortage, "detail"> {
  const again = fitsAgain(holding, shorts, nowMs);
  const code = "budget_exhausted";
  if (!again) return { code, retryable: false, message: `Not enough is left of a budget for this call. ${PLAN}` };
  const { afterMs } = again;
  if (afterMs === undefined) {
    const message = `Not enough is left of a budget for this call while others are under way. ${PLAN}`;
    return { code, retryable: true, message };
  }
  const message = `Not enough is left of a budget for this call. There is more from ${rfc3339(nowMs + afterMs)} on. ${PLAN}`;
  return { code, retryable: true, retryAfterMs: afterMs, message };
}

function unusual(stop: SpendingStop, nowMs: number): Omit<Shortage, "detail"> {
  const { untilMs } = stop;
  const message = `This would be more than is usually spent here. It may be asked from ${rfc3339(untilMs)} on. ${PLAN}`;
  const retryAfterMs = Math.max(1, untilMs - nowMs);
  return { code: "anomalous_spend", retryable: true, retryAfterMs, message, spending: stop };
}

function unusualDetail({ budget, unit, needed, spent, history, usual }: SpendingStop): string {
  const before = `${history.length} windows before, of which the median is ${decimal(usual.median)}`;
  return `budget ${budget}: ${decimal(needed)} ${unit} needed, ${decimal(spent)} spent and held in this window; above ${decimal(usual.alarm)} is out of the ordinary by ${before}`;
}

/**
 * Why the commit did not let in what a call owes; undefined where it is only to be asked again: windows that are over, and
 * calls that were in each other's way. `stop`: what is out of the ordinary.
 */
export function shortageOf(
  holding: Holding,
  shorts: readonly Short[],
  nowMs: number,
  isLast: boolean,
  stop?: SpendingStop,
): Shortage | undefined {
  const why = ORDER.find((one) => shorts.some((short) => short.why === one));
  if (!isLast && (why === undefined || why === "crowded")) return undefined;
  const bar: Bar = why ?? "crowded";
  const those = shorts.filter((short) => short.why === bar || why === undefined);
  const detail = detailOf(holding, those);
  if (bar === "unusual" && stop) return { ...unusual(stop, nowMs), detail: unusualDetail(stop) };
  const code = CODES[bar];
  if (code === "budget_exhausted") return { ...exhausted(holding, those, nowMs), detail };
  if (code === "budget_frozen") {
    const message = "A budget of this call is frozen until somebody has looked. Tell who you work for.";
    return { code, retryable: false, message, detail };
  }
  const message = "A budget of this call cannot be used at this moment. Ask again with the same call id.";
  return { code, retryable: true, message, detail };
}

/** The denial of a call that its policies let run. */
export function refusedFor({ code, message, ...more }: Shortage, { rules, unknowns }: Finding): Finding {
  return { ...refusal(code, message), ...more, rules, unknowns };
}

/** The same of a call that is only watched: it goes on. */
export function watchedFor({ code, message, retryable, detail }: Shortage, finding: Finding): Finding {
  const { would } = finding;
  if (!would || would.effect === "deny" || would.effect === "clarify") return finding;
  return { ...finding, would: { effect: "deny", code, message, retryable, detail, rules: would.rules } };
}
