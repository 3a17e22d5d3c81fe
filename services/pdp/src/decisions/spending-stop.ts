import { type SpendingAlarm, type SpendingSettings, spendingAlarm } from "../behaviour/index.ts";
import type { Account, Due } from "../budgets/index.ts";
import { formatAmount, parseAmount } from "../foundation/amount.ts";
import { rfc3339 } from "../foundation/clock.ts";
import type { Balance, Short } from "../ledger/index.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Holding } from "./holding.ts";
import type { BreakerNote } from "./stopped-call.ts";

/** That a call would bring an agent's window of a budget over what is usual. Amounts in millionths. */
export interface SpendingStop {
  readonly budget: string;
  readonly account: bigint;
  readonly unit: string;
  readonly needed: bigint;
  /** What is spent and held in the window without it. */
  readonly spent: bigint;
  /** Of the windows before it, the newest first. */
  readonly history: readonly bigint[];
  readonly settings: SpendingSettings;
  readonly usual: SpendingAlarm;
  /** When the window ends. */
  readonly untilMs: number;
  /** It goes on: calls are only observed. */
  readonly observed: boolean;
  /** Whether this replica says so for the first time of this window. */
  readonly opened: boolean;
}

const FLOOR_OF_LIMIT = 5n;

/** How a budget is watched, by its declaration; undefined where it is not. */
function settingsOf({ budgets }: Snapshot, budget: string): SpendingSettings | undefined {
  const spec = budgets.get(budget)?.document.spec;
  if (!spec?.anomaly) return undefined;
  const { deviations, windowsMin, floor } = spec.anomaly;
  const micros = (value: string) => parseAmount(spec.unit, value, "limit").micros;
  const least = floor === undefined ? micros(spec.limit) / FLOOR_OF_LIMIT : micros(floor);
  return { deviations, windowsMin, floor: least };
}

/**
 * What is out of the ordinary about what an account has no room for, by what is known here of it; undefined where that
 * is not what the store went by: then the account, or the tenant, is to be looked at anew.
 */
function stopOf(
  snapshot: Snapshot,
  { budget, unit, micros, account }: Due & { readonly account: Account },
  { alarm, held, posted, overage }: Balance,
): Omit<SpendingStop, "observed" | "opened"> | undefined {
  const { history, closesAtMs, id } = account;
  const settings = history && settingsOf(snapshot, budget);
  const usual = settings && spendingAlarm(history, settings);
  if (!usual || usual.alarm !== alarm) return undefined;
  const spent = held + posted + overage;
  return { budget, account: id, unit, needed: micros, spent, history, settings, usual, untilMs: closesAtMs };
}

/**
 * Of those accounts that let nothing out of the ordinary in, the one whose window ends last. Those of which too little is
 * known are named by `forget`, and are no reason to deny anything yet: whatever they say is asked for again.
 */
export function spendingAmong(snapshot: Snapshot, owed: Holding["owed"], shorts: readonly Short[]) {
  if (shorts.every(({ why }) => why !== "unusual")) return { shorts, forget: [], stop: undefined };
  const forget: bigint[] = [];
  let stop: ReturnType<typeof stopOf>;
  const known = shorts.map((short): Short => {
    if (short.why !== "unusual") return short;
    const due = owed.find(({ account }) => account.id === short.account);
    const found = due && short.balance && stopOf(snapshot, due, short.balance);
    if (!found) forget.push(short.account);
    if (!found) return { ...short, why: "crowded" };
    if (!stop || found.untilMs > stop.untilMs) stop = found;
    return short;
  });
  return { shorts: known, forget, stop };
}

/** Accounts whose first stop is remembered here: it alone is told as a breaker that opened. */
const OPENED_MAX = 10_000;

const openedKey = ({ account, observed }: Pick<SpendingStop, "account" | "observed">) => `${account} ${observed}`;

/**
 * What is out of the ordinary of what calls would hold, and what of it was told before. `forget`: of an account more is to be
 * learnt than is known.
 */
export function createSpendingStops(forget: (account: bigint) => void) {
  const opened = new Set<string>();
  return {
    /** As `spendingAmong`; with whether it is told for the first time. */
    among(snapshot: Snapshot, { owed, watched: observed }: Holding, shorts: readonly Short[]) {
      const { stop, forget: unknown, ...more } = spendingAmong(snapshot, owed, shorts);
      for (const account of unknown) forget(account);
      if (!stop) return { ...more, stop: undefined };
      const isNew = !opened.has(openedKey({ ...stop, observed }));
      return { ...more, stop: { ...stop, observed, opened: isNew } satisfies SpendingStop };
    },
    /** A decision that says so was recorded. */
    recorded(stop: SpendingStop): void {
      opened.add(openedKey(stop));
      // The one that was told first goes first: of most its window is over.
      const [first] = opened;
      if (first !== undefined && opened.size > OPENED_MAX) opened.delete(first);
    },
  };
}

/** What the entry says: all that the answer was made from. Amounts are decimals. */
export function spendingNote(stop: SpendingStop): BreakerNote {
  const { history, settings, usual } = stop;
  return {
    ...{ kind: "spending", reach: "agent", of: stop.budget, count: formatAmount(stop.spent) },
    ...{ limit: formatAmount(usual.alarm), opened: stop.opened, level: 0, until: rfc3339(stop.untilMs) },
    ...(stop.observed && { observed: true }),
    spending: {
      ...{ account: String(stop.account), unit: stop.unit, needed: formatAmount(stop.needed) },
      ...{ median: formatAmount(usual.median), mad: formatAmount(usual.mad), windows: history.length },
      ...{ deviations: settings.deviations, windows_min: settings.windowsMin, floor: formatAmount(settings.floor) },
      history: history.map(formatAmount),
    },
  };
}
