import { toleranceOf } from "@remit/engine";
import {
  correctionMoves,
  type Move,
  releaseMoves,
  settlementMoves,
  type UnitPart,
  watchedMoves,
} from "../budgets/index.ts";
import { type Amount, formatAmount } from "../foundation/amount.ts";
import type { Charge, StoredRecord } from "../ledger/index.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Told } from "./ask.ts";
import type { ReportedOn } from "./decision.ts";
import { postedBy } from "./expiry-entry.ts";
import { isOfSession } from "./given-accounts.ts";
import { type HeldAmount, partsOf } from "./holding.ts";

/** What a report does to budgets: what of it its entry says, and what its record does. */
export interface Settlement {
  readonly charge: Charge;
  /** By account, the narrowest first. */
  readonly said: readonly SettledAmount[];
  /** The budget that is frozen by it. */
  readonly frozen: HeldAmount | undefined;
}

export interface SettledAmount extends HeldAmount {
  /** Decimals, with a sign where something that had been counted is taken back. */
  readonly posted: string;
  readonly overage: string;
}

const CALLS = "calls";
const decimal = (micros: bigint) => (micros < 0n ? `-${formatAmount(-micros)}` : formatAmount(micros));

/** What a call cost in each unit that something is held of; undefined where it cost nothing because nothing ran. */
function actualOf({ outcome, actual }: Told, parts: readonly UnitPart[]): readonly Amount[] | undefined {
  if (outcome === "not_executed") return undefined;
  return parts.map(({ unit, amount }): Amount => {
    // That it ran is all that there is to count.
    if (unit === CALLS) return { unit, micros: amount };
    const said = actual.find((one) => one.unit === unit);
    if (said) return said;
    // The tool says that nothing was spent; else what was held was.
    return { unit, micros: outcome === "failed" ? 0n : amount };
  });
}

const NO_MOVE = { held: 0n, posted: 0n, overage: 0n };

function sayMoves(held: readonly HeldAmount[], moves: readonly Move[]): SettledAmount[] {
  return held.map((one) => {
    const { posted, overage } = moves.find(({ account }) => String(account) === one.account) ?? NO_MOVE;
    return { ...one, posted: decimal(posted), overage: decimal(overage) };
  });
}

/**
 * The narrowest hard account of which a call took more than its tool may take beyond what was held. What is overage only
 * because its hold had been given back before the report came was held all the same. A call that was only observed had no
 * hold to keep to: it stops nobody.
 */
function frozenBy(
  snapshot: Snapshot,
  { body, tool }: ReportedOn,
  held: readonly HeldAmount[],
  parts: readonly UnitPart[],
  actual: readonly Amount[] | undefined,
) {
  if (body.mode === "observed") return undefined;
  return held.find(({ budget }, at) => {
    const part = parts[at];
    const spent = actual?.find(({ unit }) => unit === part?.unit)?.micros ?? 0n;
    if (!part || spent <= part.amount) return false;
    const isHard = isOfSession(budget) || snapshot.budgets.get(budget)?.document.spec.enforcement === "hard";
    const tolerated = toleranceOf(snapshot.compiled, tool, part.unit, part.amount);
    return isHard && tolerated !== undefined && spent - part.amount > tolerated;
  });
}

function settlement(
  held: readonly HeldAmount[],
  moves: readonly Move[],
  hold: Charge["hold"],
  frozen: HeldAmount | undefined,
): Settlement {
  const freezes = frozen && BigInt(frozen.account);
  const charge = { moves, ...(hold && { hold }), ...(freezes !== undefined && { freezes }) };
  return { charge, said: sayMoves(held, moves), frozen };
}

/**
 * A settlement without what accounts take no more of, and the units of that: such an account counts as much as any may, and
 * lets no call in, so its report is to be taken all the same.
 */
export function withoutOverage(
  settled: Settlement | undefined,
  full: ReadonlySet<bigint>,
): { readonly settlement: Settlement | undefined; readonly uncounted: readonly string[] } {
  if (!settled || full.size === 0) return { settlement: settled, uncounted: [] };
  const { charge, said, frozen } = settled;
  const moves = charge.moves.map((move) => (full.has(move.account) ? { ...move, overage: 0n } : move));
  const isFull = ({ account }: HeldAmount) => full.has(BigInt(account));
  const settlement: Settlement = {
    charge: { ...charge, moves },
    said: said.map((one) => (isFull(one) ? { ...one, overage: "0" } : one)),
    frozen,
  };
  return { settlement, uncounted: said.filter(isFull).map(({ unit }) => unit) };
}

/** What was only watched is posted when it has run. */
function watchedSettlement(told: Told, held: readonly HeldAmount[]): Settlement | undefined {
  const parts = partsOf(held);
  const actual = told.outcome === "running" ? undefined : actualOf(told, parts);
  return actual && settlement(held, watchedMoves(parts, actual), undefined, undefined);
}

/** What a call cost in units in which its tool says that it costs nothing: nothing was held, so all of it is overage. */
function unheldSettlement(told: Told, decision: ReportedOn, snapshot: Snapshot, unheld: readonly HeldAmount[]) {
  if (unheld.length === 0) return undefined;
  const parts = partsOf(unheld);
  const actual = actualOf(told, parts) ?? [];
  const moves = settlementMoves(parts, actual);
  return settlement(unheld, moves, undefined, frozenBy(snapshot, decision, unheld, parts, actual));
}

/**
 * What a report does to the hold of its decision. Undefined where it does nothing: it leaves open what became of the call,
 * or nothing was held. `unheld`: accounts that are charged although nothing was held of them.
 */
export function settlementOf(
  told: Told,
  decided: ReportedOn,
  snapshot: Snapshot,
  reportByMs: number | undefined,
  storeAheadMs: number,
  unheld: readonly HeldAmount[] = [],
): Settlement | undefined {
  if (told.outcome === "unknown") return undefined;
  const { body } = decided;
  const { hold, would_hold: watched } = body;
  if (watched) return watchedSettlement(told, [...watched, ...unheld]);
  if (hold === undefined) return unheldSettlement(told, decided, snapshot, unheld);
  const decision = body.id;
  if (told.outcome === "running") {
    // What waits for people has no time of its own.
    if (reportByMs === undefined || body.effect === "escalate") return undefined;
    const expiresAtMs = Math.max(reportByMs, Date.parse(body.report_by ?? body.at)) + storeAheadMs;
    const charge: Charge = { moves: [], hold: { step: "extend", hold, decision, expiresAtMs } };
    return { charge, said: [], frozen: undefined };
  }
  const held = [...body.holds, ...unheld];
  const parts = partsOf(held);
  const actual = actualOf(told, parts);
  const moves = actual ? settlementMoves(parts, actual) : releaseMoves(parts);
  return settlement(held, moves, { step: "end", hold, decision }, frozenBy(snapshot, decided, held, parts, actual));
}

/** What a report does that came after the hold had expired: once, and whatever the hold's row was, it is gone. */
export function correctionOf(
  told: Told,
  decided: ReportedOn,
  snapshot: Snapshot,
  expiry: StoredRecord,
  unheld: readonly HeldAmount[] = [],
): Settlement {
  const held = [...decided.body.holds, ...unheld];
  const parts = partsOf(held);
  const actual = actualOf(told, parts);
  const moves = correctionMoves(parts, postedBy(expiry), actual);
  return settlement(held, moves, undefined, frozenBy(snapshot, decided, held, parts, actual));
}
