import fc from "fast-check";
import { expect, test } from "vitest";
import type { Move } from "./account.ts";
import { type Books, freeOf, MICROS_MAX, moved, refuses } from "./books.ts";
import {
  adoptionMoves,
  correctionMoves,
  expiryMoves,
  holdMoves,
  releaseMoves,
  settlementMoves,
  type UnitPart,
  watchedMoves,
} from "./moves.ts";

const part = (amount: bigint, account = 1n): UnitPart => ({ account, amount, unit: "EUR" });
const eur = (micros: bigint) => [{ unit: "EUR", micros }];
const move = (more: Partial<Move>): Move => ({ account: 1n, held: 0n, posted: 0n, overage: 0n, ...more });
const books = (more: Partial<Books> = {}): Books => ({
  ...{ account: 1n, limit: 100n, ceiling: 100n, held: 0n, posted: 0n, overage: 0n, frozen: false, hard: true },
  ...more,
});

test("a call that cost less than was held gives the rest back", () => {
  expect(settlementMoves([part(10n)], eur(4n))).toEqual([move({ held: -10n, posted: 4n })]);
});

test("a call that cost more posts what was held, and the rest as overage", () => {
  expect(settlementMoves([part(10n)], eur(14n))).toEqual([move({ held: -10n, posted: 10n, overage: 4n })]);
});

test("what a report does not say is what was held; zero is zero", () => {
  expect(settlementMoves([part(10n)], [])).toEqual([move({ held: -10n, posted: 10n })]);
  expect(settlementMoves([part(10n)], eur(0n))).toEqual([move({ held: -10n })]);
});

test("an expiry spends what a hard account held, and gives back what a soft one did or what waited for people", () => {
  const parts = [
    { account: 1n, amount: 10n, hard: true },
    { account: 2n, amount: 10n, hard: false },
  ];
  expect(expiryMoves(parts, false)).toEqual([move({ held: -10n, posted: 10n }), move({ account: 2n, held: -10n })]);
  expect(expiryMoves(parts, true)).toEqual([move({ held: -10n }), move({ account: 2n, held: -10n })]);
});

test("an adoption moves the difference, of the same accounts and of others", () => {
  expect(adoptionMoves([part(10n), part(5n, 2n)], [part(12n), part(3n, 3n)])).toEqual([
    move({ held: 2n }),
    move({ account: 2n, held: -5n }),
    move({ account: 3n, held: 3n }),
  ]);
});

test("a call that was only watched is all overage", () => {
  expect(watchedMoves([part(10n)], eur(4n))).toEqual([move({ overage: 4n })]);
  expect(watchedMoves([part(10n)], [])).toEqual([move({ overage: 10n })]);
});

test("what is no quantity is refused, and names itself", () => {
  expect(() => holdMoves([part(-1n)])).toThrow("a hold would be -1 millionths");
  expect(() => settlementMoves([part(1n)], eur(MICROS_MAX + 1n))).toThrow("what was spent of EUR");
  expect(() => moved(books({ overage: MICROS_MAX }), move({ overage: 1n }))).toThrow("beyond its holds");
});

test("a hard account lets in what is free and no millionth more; a soft one whatever is asked", () => {
  const some = books({ held: 20n, posted: 30n, overage: 10n });
  expect(freeOf(some)).toBe(40n);
  expect(refuses(some, 40n)).toBeUndefined();
  expect(refuses(some, 41n)).toBe("exhausted");
  expect(refuses({ ...some, hard: false }, 41n)).toBeUndefined();
  expect(refuses({ ...some, frozen: true }, 0n)).toBe("frozen");
  expect(refuses(books({ limit: 0n, posted: 5n }), 0n)).toBeUndefined();
});

test("a soft account takes no more than two of the greatest amounts, with whatever it counts already", () => {
  const soft = { ...books({ overage: MICROS_MAX }), hard: false };
  expect(refuses(soft, MICROS_MAX)).toBeUndefined();
  expect(refuses({ ...soft, posted: 1n }, MICROS_MAX)).toBe("full");
  expect(refuses({ ...soft, posted: 1n }, MICROS_MAX - 1n)).toBeUndefined();
  expect(refuses({ ...soft, held: 2n ** 62n }, 0n)).toBeUndefined();
});

test("an admission that was wrong does not pass the books", () => {
  expect(() => moved(books({ posted: 95n }), move({ held: 6n }))).toThrow("more would be held and spent");
});

test("a lowered limit lets the ceiling fall as money comes back, and never rise above the limit again", () => {
  const lowered = books({ limit: 50n, ceiling: 100n, held: 80n });
  const returned = moved(lowered, move({ held: -20n }));
  expect(returned.ceiling).toBe(60n);
  expect(() => moved(returned, move({ held: 1n }))).toThrow("more would be held and spent");
  expect(moved(returned, move({ held: -60n })).ceiling).toBe(50n);
});

const amount = fc.bigInt(0n, 10n ** 12n);
const parts = fc.uniqueArray(fc.record({ account: fc.bigInt(1n, 6n), amount, unit: fc.constantFrom("EUR", "USD") }), {
  selector: ({ account }) => account,
});
const spending = fc.uniqueArray(fc.record({ unit: fc.constantFrom("EUR", "USD"), micros: amount }), {
  selector: ({ unit }) => unit,
});

/** The sum of moves by account. */
function sums(moves: readonly Move[]): Map<bigint, Move> {
  const found = new Map<bigint, Move>();
  for (const one of moves) {
    const there = found.get(one.account) ?? move({ account: one.account });
    found.set(one.account, {
      account: one.account,
      held: there.held + one.held,
      posted: there.posted + one.posted,
      overage: there.overage + one.overage,
    });
  }
  return found;
}

const spentOf = ({ unit, amount: held }: UnitPart, actual: readonly { unit: string; micros: bigint }[]) =>
  actual.find((one) => one.unit === unit)?.micros ?? held;

test("whatever way a call ends, nothing stays held, and posted and overage together are what it cost", () => {
  const ways = fc.constantFrom("settled", "corrected", "adopted", "watched");
  fc.assert(
    fc.property(parts, parts, spending, fc.boolean(), ways, (first, then, actual, hard, way) => {
      const withHard = first.map((one) => ({ ...one, hard }));
      const expiry = expiryMoves(withHard, false);
      const posted = new Map(expiry.map((one) => [one.account, one.posted]));
      const moves = {
        settled: () => [...holdMoves(first), ...settlementMoves(first, actual)],
        corrected: () => [...holdMoves(first), ...expiry, ...correctionMoves(first, posted, actual)],
        adopted: () => [...holdMoves(first), ...adoptionMoves(first, then), ...settlementMoves(then, actual)],
        watched: () => watchedMoves(first, actual),
      }[way]();
      const total = sums(moves);
      for (const one of way === "adopted" ? then : first) {
        const { held, posted: spent, overage } = total.get(one.account) ?? move({});
        expect(held).toBe(0n);
        expect(spent + overage).toBe(spentOf(one, actual));
        expect(spent).toBeLessThanOrEqual(one.amount);
      }
      for (const { held, posted: spent, overage } of total.values()) {
        expect([held, spent >= 0n, overage >= 0n]).toEqual([0n, true, true]);
      }
    }),
  );
});

test("a hold that is given back, or that expires and turns out never to have run, leaves nothing", () => {
  fc.assert(
    fc.property(parts, fc.boolean(), fc.boolean(), (some, hard, late) => {
      const expiry = expiryMoves(
        some.map((one) => ({ ...one, hard })),
        false,
      );
      const posted = new Map(expiry.map((one) => [one.account, one.posted]));
      const end = late ? [...expiry, ...correctionMoves(some, posted, undefined)] : releaseMoves(some);
      for (const { held, posted: spent, overage } of sums([...holdMoves(some), ...end]).values()) {
        expect([held, spent, overage]).toEqual([0n, 0n, 0n]);
      }
    }),
  );
});

test("however calls are let in and settled, no hard account is over its limit, and its books are the sum of its moves", () => {
  const calls = fc.array(fc.record({ hold: fc.bigInt(0n, 60n), cost: fc.bigInt(0n, 60n), settles: fc.boolean() }));
  fc.assert(
    fc.property(calls, (some) => {
      let account = books();
      const made: Move[] = [];
      const record = (moves: readonly Move[]) => {
        made.push(...moves);
        account = moves.reduce(moved, account);
      };
      for (const { hold, cost, settles } of some) {
        if (refuses(account, hold)) continue;
        record(holdMoves([part(hold)]));
        if (settles) record(settlementMoves([part(hold)], eur(cost)));
        expect(account.held + account.posted).toBeLessThanOrEqual(account.limit);
      }
      const { held, posted, overage } = sums(made).get(1n) ?? move({});
      expect([account.held, account.posted, account.overage]).toEqual([held, posted, overage]);
    }),
  );
});
