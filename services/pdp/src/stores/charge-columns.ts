import { assert } from "../foundation/assert.ts";
import { overageRoomOf, takeRoomOf } from "../foundation/balance.ts";
import type { Balance, Charge, HoldStep, Move, NewRecord, Short } from "../ledger/index.ts";

/** A record's charge as the columns of the statement; nothing where it charges nothing. Arrays are Postgres's literals. */
export interface Charged {
  readonly accounts?: string;
  readonly held?: string;
  /** Undefined: all zeros, as with `overage`. */
  readonly posted?: string | undefined;
  readonly overage?: string | undefined;
  readonly freezes?: bigint | undefined;
  readonly step?: string | undefined;
  readonly hold?: string | undefined;
  readonly had?: string | undefined;
  readonly expiresAtMs?: number | undefined;
}

const UNCHARGED: Charged = {};

const literal = (moves: readonly Move[], of: (move: Move) => bigint) => `{${moves.map(of).join()}}`;
const unlessZeros = (moves: readonly Move[], of: (move: Move) => bigint) =>
  moves.some((move) => of(move) !== 0n) ? literal(moves, of) : undefined;

function stepName(step: HoldStep): string {
  if (step.step === "end") return step.overdue ? "end_overdue" : "end";
  return step.step !== "extend" && step.pending ? `${step.step}_pending` : step.step;
}

function stepColumns(step: HoldStep | undefined): Charged {
  if (!step) return UNCHARGED;
  return {
    step: stepName(step),
    ...(step.step !== "take" && { hold: step.hold, had: step.decision }),
    ...(step.step !== "end" && { expiresAtMs: step.expiresAtMs }),
  };
}

function columnsOf({ moves, hold, freezes }: Charge): Charged {
  const accounts = new Set(moves.map(({ account }) => account));
  assert(accounts.size === moves.length, "a charge moves an account once");
  assert(freezes === undefined || accounts.has(freezes), "a charge freezes an account that it moves");
  const takes = hold?.step === "take" || hold?.step === "adopt";
  assert(takes || moves.every(({ held }) => held <= 0n), "what is held grows with a hold alone");
  return {
    ...stepColumns(hold),
    freezes,
    accounts: literal(moves, ({ account }) => account),
    held: literal(moves, ({ held }) => held),
    posted: unlessZeros(moves, ({ posted }) => posted),
    overage: unlessZeros(moves, ({ overage }) => overage),
  };
}

/** What each record of a batch charges. Throws on a charge that would break a rule whatever the accounts hold. */
export function chargesOf(batch: readonly NewRecord[]): Charged[] {
  return batch.map(({ charge }) => (charge ? columnsOf(charge) : UNCHARGED));
}

/** What the charged commit says besides. */
export interface ChargedToo {
  /** By the record's place in the batch: why it was left out. */
  readonly left: ReadonlyMap<number, readonly LeftBy[]>;
  /** Of all accounts that were locked, after the batch. */
  readonly balances: ReadonlyMap<bigint, Balance>;
}

interface LeftBy {
  readonly account: bigint;
  readonly why: "closed" | "frozen" | "locked" | "tight" | "full" | "gone" | "twin";
}

const parts = (text: string | null) =>
  text === null || text === "" ? [] : text.split(";").map((one) => one.split(","));

/** Reads the two columns that the charged commit has more than the plain one. */
export function readCharged(leftOut: string | null, after: string | null): ChargedToo {
  const left = new Map<number, LeftBy[]>();
  for (const [place = "", account = "", why] of parts(leftOut)) {
    const at = Number(place) - 1;
    left.set(at, [...(left.get(at) ?? []), { account: BigInt(account), why: why as LeftBy["why"] }]);
  }
  const balances = new Map<bigint, Balance>();
  for (const [account = "", limit = "", held = "", posted = "", overage = "", frozen, alarm] of parts(after)) {
    const id = BigInt(account);
    const amounts = { limit: BigInt(limit), held: BigInt(held), posted: BigInt(posted), overage: BigInt(overage) };
    balances.set(id, { account: id, ...amounts, frozen: frozen === "1", ...(alarm && { alarm: BigInt(alarm) }) });
  }
  return { left, balances };
}

/** Of the accounts that a record charged. */
export function balancesOf({ charge }: NewRecord, { balances }: ChargedToo): Balance[] {
  return (charge?.moves ?? []).flatMap(({ account }) => balances.get(account) ?? []);
}

const freeOf = ({ limit, held, posted, overage }: Balance) => limit - held - posted - overage;

/** Why an account had no room for a taking: it would not have alone, or not beside its mates. */
function tightness(balance: Balance | undefined, held: bigint): Short["why"] {
  if (balance && held > freeOf(balance)) return "exhausted";
  const { alarm } = balance ?? {};
  return balance && alarm !== undefined && held > freeOf({ ...balance, limit: alarm }) ? "unusual" : "crowded";
}

/** Why an account took no more of what no limit binds: it would not have alone, or not beside its mates. */
function fullness(balance: Balance | undefined, move: Move | undefined): Short["why"] {
  if (!balance || !move) return "crowded";
  const { held, overage } = move;
  return held > takeRoomOf(balance) || overage > overageRoomOf(balance) ? "full" : "crowded";
}

/** Of a hold: no account is to blame. */
const ofHold = (charge: Charge | undefined, why: Short["why"]): Short[] => [
  { account: charge?.moves[0]?.account ?? 0n, why },
];

/** What is said of a record whose hold was not waited for. */
export const holdLocked = ({ charge }: NewRecord): Short[] => ofHold(charge, "locked");

/**
 * Why a record's accounts left it out: what does not fit now would not fit alone. Of two records of a batch that step on
 * one hold the second is crowded: it depends on what becomes of the first.
 */
export function shortsOf({ charge }: NewRecord, left: readonly LeftBy[], { balances }: ChargedToo): Short[] {
  return left.flatMap(({ account, why }): Short[] => {
    if (why === "gone") return [];
    if (why === "twin") return ofHold(charge, "crowded");
    const balance = balances.get(account);
    if (why !== "tight" && why !== "full") return [{ account, why, ...(balance && { balance }) }];
    const move = charge?.moves.find((one) => one.account === account);
    const named = why === "full" ? fullness(balance, move) : tightness(balance, move?.held ?? 0n);
    return [{ account, why: named, ...(balance && { balance }) }];
  });
}
