import { MICROS_MAX } from "../../src/budgets/books.ts";
import { adoptionMoves, expiryMoves, type HeldPart } from "../../src/budgets/index.ts";
import { takeRoomOf } from "../../src/foundation/balance.ts";
import { type Charge, idempotencyKey, type Move, type NewRecord } from "../../src/ledger/index.ts";
import { newRecord, TENANT } from "../ledger/postgres.ts";
import { end, move } from "./books.ts";
import { balanceOf, freeOf, type HoldRow, type StoreState } from "./store-model.ts";

/** Dice, and the accounts that records are about. */
export interface Dice {
  readonly random: () => number;
  readonly accounts: readonly bigint[];
  /** Times before and after the run. */
  readonly pastMs: number;
  readonly farMs: number;
  /** What amounts are drawn in. */
  readonly grain: bigint;
  /** How many batches are drawn as one plain record, of all; others may come to be one too. */
  readonly lone: number;
  /** How many records a batch has at least that is to fit as a whole: one by itself goes by a form of its own. */
  readonly together: number;
}

export const below = ({ random }: Dice, count: number) => Math.floor(random() * count);
export const pick = <Value>(dice: Dice, from: readonly Value[]) => from[below(dice, from.length)];

/** At most so many grains. */
const amount = (dice: Dice, most: number) => BigInt(below(dice, most + 1)) * dice.grain;
const grains = ({ grain }: Dice, micros: bigint) => Number(micros / grain);

function someAccounts(dice: Dice): bigint[] {
  const chosen = new Set<bigint>();
  for (let count = 1 + below(dice, 3); count > 0; count--) chosen.add(pick(dice, dice.accounts) ?? 0n);
  return [...chosen];
}

const term = (dice: Dice) => ({
  expiresAtMs: dice.random() < 0.4 ? dice.pastMs : dice.farMs,
  pending: dice.random() < 0.3,
});

/** Some amount, or just what is free, or one more. */
function wanted(dice: Dice, state: StoreState, account: bigint): bigint {
  const row = state.accounts.get(account);
  // A soft one has an edge only where amounts come near to it.
  const hasLimit = row?.hard || dice.grain === 1n;
  const free = row ? (hasLimit ? freeOf(balanceOf(state, row)) : takeRoomOf(row)) : 0n;
  if (free <= 0n || dice.random() < 0.7) return amount(dice, 14);
  const most = free + BigInt(below(dice, 2));
  return most < MICROS_MAX ? most : MICROS_MAX;
}

const partsOf = (state: StoreState, { amounts }: HoldRow) =>
  [...amounts].map(([account, held]) => ({ account, amount: held, hard: state.accounts.get(account)?.hard ?? true }));

/** Mostly who has the hold. */
const whose = (dice: Dice, { id, decision }: HoldRow) => (dice.random() < 0.85 ? decision : id);

/** `times` what was held at most: with 1, nothing comes beyond the hold. */
function settle(dice: Dice, state: StoreState, hold: HoldRow, times = 2): Charge {
  const moves = partsOf(state, hold).map(({ account, amount: held }): Move => {
    const actual = amount(dice, grains(dice, held) * times);
    const posted = actual < held ? actual : held;
    return move(account, { held: -held, posted, overage: actual - posted });
  });
  const over = dice.random() < 0.1 ? moves.find(({ overage }) => overage > 0n) : undefined;
  return { ...end(hold.id, moves, whose(dice, hold)), ...(over && { freezes: over.account }) };
}

const openAccounts = ({ accounts, budgets }: StoreState) =>
  [...accounts.values()]
    .filter(
      ({ tenant, budget, frozen }) =>
        tenant === TENANT && !frozen && !(budget && budgets.get(`${tenant}/${budget}`)?.frozen),
    )
    .filter(({ opensAtMs, closesAtMs }) => opensAtMs <= Date.now() && Date.now() < closesAtMs)
    .map(({ id }) => id);

type Kind = (dice: Dice, state: StoreState, hold: HoldRow | undefined) => Charge | undefined;

const kinds: Record<string, Kind> = {
  take: (dice, state) => ({
    moves: someAccounts(dice).map((account) => move(account, { held: wanted(dice, state, account) })),
    hold: { step: "take", ...term(dice) },
  }),
  settle: (dice, state, hold) => hold && settle(dice, state, hold),
  within: (dice, state, hold) => hold && settle(dice, state, hold, 1),
  adopt: (dice, state, hold) => {
    if (!hold) return undefined;
    const after = someAccounts(dice).map((account): HeldPart => ({ account, amount: amount(dice, 14) }));
    const moves = adoptionMoves(partsOf(state, hold), after);
    return { moves, hold: { step: "adopt", hold: hold.id, decision: whose(dice, hold), ...term(dice) } };
  },
  extend: (dice, _state, hold) =>
    hold && { moves: [], hold: { step: "extend", hold: hold.id, decision: whose(dice, hold), ...term(dice) } },
  expire: (dice, state, hold) => {
    if (!hold) return undefined;
    const moves = expiryMoves(partsOf(state, hold), hold.pending);
    return { moves, hold: { step: "end", hold: hold.id, decision: whose(dice, hold), overdue: true } };
  },
  correct: (dice, state) => {
    const account = pick(dice, dice.accounts) ?? 0n;
    const most = grains(dice, state.accounts.get(account)?.posted ?? 0n);
    return { moves: [move(account, { posted: -amount(dice, most), overage: amount(dice, 3) })] };
  },
  take_little: (dice, state) => {
    const open = { ...dice, accounts: openAccounts(state) };
    return {
      moves: someAccounts(open).map((account) => move(account, { held: amount(dice, 2) })),
      hold: { step: "take", ...term(dice), expiresAtMs: dice.farMs },
    };
  },
  watch: (dice) => ({ moves: [move(pick(dice, dice.accounts) ?? 0n, { overage: amount(dice, 3) })] }),
  nothing: () => undefined,
};
const often = [
  ...Array(6).fill("take"),
  ...Array(4).fill("settle"),
  "adopt",
  "adopt",
  ...Object.keys(kinds),
] as string[];
/** What a batch may have that is to fit as a whole. */
const plain = [...Array(6).fill("take_little"), "take", ...Array(6).fill("within"), "nothing"] as string[];
/** What may come alone: more of it does not fit. */
const lonely = ["take_little", "take", "take", "take", "within", "within", "within", "nothing"];

function keyFor(dice: Dice, charge: Charge | undefined, used: readonly NewRecord[], id: string): Uint8Array {
  if (dice.random() < 0.12) return pick(dice, used)?.key ?? idempotencyKey("decision", id, 1);
  const hold = charge?.hold;
  // Whatever settles a decision has one key, as in the product.
  return hold?.step === "end" && dice.random() < 0.7
    ? idempotencyKey("report", hold.decision, 1)
    : idempotencyKey("decision", id, 1);
}

/** A batch of records that could come now, and some that could not. */
export function randomBatch(dice: Dice, state: StoreState, security: bigint): NewRecord[] {
  const holds = [...state.holds.values()];
  const used = [...state.records.values()].slice(-20).map(({ record }) => record);
  const batch: NewRecord[] = [];
  const isLone = dice.lone > 0 && dice.random() < dice.lone;
  const from = isLone ? lonely : dice.random() < 0.4 ? plain : often;
  const least = from === plain ? dice.together : 1;
  for (let count = isLone ? 1 : least + below(dice, 9 - least); count > 0; count--) {
    const kind = pick(dice, from) ?? "take";
    const charge = kinds[kind]?.(dice, state, pick(dice, holds));
    const record = newRecord({
      ...(charge && { charge }),
      securityRevision: dice.random() < 0.03 ? security - 1n : security,
    });
    batch.push({ ...record, key: keyFor(dice, charge, [...used, ...batch], record.id) });
  }
  return batch;
}
