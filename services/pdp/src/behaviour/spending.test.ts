import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SpendingAlarm, type SpendingSettings, spendingAlarm } from "./spending.ts";

/** A fraction, its denominator above 0: the oracle computes with these alone, and rounds where the rule says so. */
interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

const whole = (over: bigint): Fraction => ({ over, under: 1n });
const times = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.over, under: a.under * b.under });
const plus = (a: Fraction, b: Fraction): Fraction => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
});
const less = (a: Fraction, b: Fraction) => a.over * b.under < b.over * a.under;
const most = (a: Fraction, b: Fraction) => (less(a, b) ? b : a);
const up = ({ over, under }: Fraction) => whole(over % under === 0n ? over / under : over / under + 1n);
const away = (a: Fraction, b: Fraction): Fraction => {
  const difference = plus(a, times(b, whole(-1n)));
  return difference.over < 0n ? times(difference, whole(-1n)) : difference;
};

const ALARM_MAX = whole(2n ** 61n);
const half: Fraction = { over: 1n, under: 2n };
type Round = (value: Fraction) => Fraction;

/** A median found by counting: the least value that at least half of all do not exceed, and the greatest likewise. */
function middle(values: readonly Fraction[]): Fraction {
  const atMost = (one: Fraction) => values.filter((value) => !less(one, value)).length;
  const atLeast = (one: Fraction) => values.filter((value) => !less(value, one)).length;
  const isHalf = (count: number) => 2 * count >= values.length;
  const medians = values.filter((one) => isHalf(atMost(one)) && isHalf(atLeast(one)));
  const [first = whole(0n)] = medians;
  const lowest = medians.reduce((a, b) => (less(b, a) ? b : a), first);
  return times(plus(lowest, medians.reduce(most, first)), half);
}

/** The rule with fractions. `round`: where each quotient is rounded; without, nothing is. */
function exactly(history: readonly bigint[], { deviations, floor }: SpendingSettings, round: Round) {
  const values = history.map(whole);
  const median = round(middle(values));
  const mad = round(middle(values.map((value) => away(value, median))));
  const deviation = most(
    round(times(mad, { over: 14826n, under: 10000n })),
    round(times(median, { over: 1n, under: 10n })),
  );
  const alarm = most(whole(floor), plus(median, times(whole(BigInt(deviations)), deviation)));
  return { median, mad, alarm: less(ALARM_MAX, alarm) ? ALARM_MAX : alarm };
}

const micros = fc.oneof(fc.bigInt(0n, 50n), fc.bigInt(0n, 10n ** 12n), fc.bigInt(0n, 2n ** 56n));
const histories = fc.array(micros, { minLength: 1, maxLength: 32 });
const settings = fc.record({ deviations: fc.integer({ min: 1, max: 100 }), windowsMin: fc.constant(1), floor: micros });

type Rule = (history: readonly bigint[], settings: SpendingSettings) => SpendingAlarm | undefined;

const asBuilt: Rule = spendingAlarm;

const agrees = (rule: Rule) =>
  fc.check(
    fc.property(histories, settings, (history, how) => {
      const found = rule(history, how);
      const { median, mad, alarm } = exactly(history, how, up);
      return found?.median === median.over && found.mad === mad.over && found.alarm === alarm.over;
    }),
    { numRuns: 2_000, seed: 27 },
  );

describe("what is out of the ordinary", () => {
  it("is what the rule says with fractions, rounded up where it says so", () => {
    expect(agrees(asBuilt).failed).toBe(false);
  });

  const numbers = (history: readonly bigint[]) => [...history].map(Number).sort((a, b) => a - b);
  it.each<[string, Rule]>([
    [
      "floating point",
      (history, how) => {
        const sorted = numbers(history);
        const of = (values: readonly number[]) => {
          const at = values.length / 2;
          return ((values[Math.ceil(at) - 1] ?? 0) + (values[Math.floor(at)] ?? 0)) / 2;
        };
        const median = Math.ceil(of(sorted));
        const mad = Math.ceil(of(sorted.map((value) => Math.abs(value - median)).sort((a, b) => a - b)));
        const deviation = Math.max(Math.ceil(mad * 1.4826), Math.ceil(median / 10));
        const alarm = Math.max(Number(how.floor), median + how.deviations * deviation);
        return { median: BigInt(median), mad: BigInt(mad), alarm: BigInt(alarm) };
      },
    ],
    [
      "a mean",
      (history, how) => {
        const built = spendingAlarm(history, how);
        const mean = history.reduce((sum, one) => sum + one, 0n) / BigInt(history.length);
        return built && { ...built, median: mean };
      },
    ],
    [
      "the lower of two in the middle",
      (history, how) => {
        const sorted = [...history].sort((a, b) => (a < b ? -1 : 1));
        const built = spendingAlarm(history, how);
        return built && { ...built, median: sorted[Math.ceil(sorted.length / 2) - 1] ?? 0n };
      },
    ],
    ["no floor", (history, how) => spendingAlarm(history, { ...how, floor: 0n })],
    ["one deviation fewer", (history, how) => spendingAlarm(history, { ...how, deviations: how.deviations - 1 })],
    [
      "texts in the order of letters",
      (history, how) => {
        const sorted = [...history].sort();
        const built = spendingAlarm(history, how);
        const upper = Math.floor(sorted.length / 2);
        const lower = sorted.length % 2 === 0 ? upper - 1 : upper;
        return built && { ...built, median: ((sorted[lower] ?? 0n) + (sorted[upper] ?? 0n) + 1n) / 2n };
      },
    ],
  ])("is told from what %s would make of it", (_what, rule) => {
    expect(agrees(rule).failed).toBe(true);
  });

  it("differs from what it would be without rounding by a few millionths for each deviation", () => {
    fc.assert(
      fc.property(histories, settings, (history, how) => {
        const found = spendingAlarm(history, how)?.alarm ?? 0n;
        const unrounded = exactly(history, how, (value) => value).alarm;
        // What the median was rounded by can be in every distance from it, half a millionth, too.
        const room = whole(4n * BigInt(how.deviations) + 1n);
        expect(less(away(whole(found), unrounded), room)).toBe(true);
      }),
    );
  });

  it("does not depend on the order of the windows, nor much on a few that were odd", () => {
    fc.assert(
      fc.property(histories, settings, fc.integer({ min: 0, max: 31 }), (history, how, turn) => {
        const turned = [...history.slice(turn), ...history.slice(0, turn)];
        expect(spendingAlarm(turned, how)).toEqual(spendingAlarm(history, how));
      }),
    );
    // Fewer than half of the windows, however much was spent in them, move the median within the others' range.
    fc.assert(
      fc.property(fc.array(fc.bigInt(10n, 20n), { minLength: 5, maxLength: 16 }), settings, (calm, how) => {
        const odd = calm
          .slice(1)
          .map(() => 10n ** 15n)
          .slice(0, Math.floor((calm.length - 1) / 2));
        expect(spendingAlarm([...calm, ...odd], how)?.median).toBeLessThanOrEqual(20n);
      }),
    );
  });

  it("is at least the floor, and a steady agent may spend a little more than it did", () => {
    const how = { deviations: 6, windowsMin: 3, floor: 5_000_000n };
    const steady = [20_000_000n, 20_000_000n, 20_000_000n];
    expect(spendingAlarm(steady, how)).toEqual({ median: 20_000_000n, mad: 0n, alarm: 32_000_000n });
    expect(spendingAlarm([1n, 1n, 1n], how)?.alarm).toBe(5_000_000n);
    const spread = [10_000_000n, 20_000_000n, 40_000_000n];
    expect(spendingAlarm(spread, how)).toEqual({ median: 20_000_000n, mad: 10_000_000n, alarm: 108_956_000n });
  });

  it("is unknown with too few windows, and never above what an account may hold", () => {
    const how = { deviations: 100, windowsMin: 3, floor: 0n };
    expect(spendingAlarm([1n, 2n], how)).toBeUndefined();
    expect(spendingAlarm([], { ...how, windowsMin: 0 })).toBeUndefined();
    expect(spendingAlarm([0n, 2n ** 61n, 2n ** 61n], how)?.alarm).toBe(2n ** 61n);
  });
});
