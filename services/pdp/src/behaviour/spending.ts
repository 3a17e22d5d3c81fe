/** How what an agent spends in a window of a budget is judged. Amounts are whole millionths. */
export interface SpendingSettings {
  /** How many robust standard deviations above the median are too many. */
  readonly deviations: number;
  /** With fewer windows before it nothing is judged. */
  readonly windowsMin: number;
  /** Up to this nothing is out of the ordinary. */
  readonly floor: bigint;
}

/** What was usual, and from where on a window is out of the ordinary. */
export interface SpendingAlarm {
  readonly median: bigint;
  /** Of how far windows were from the median, the median. */
  readonly mad: bigint;
  /** The most that may be spent and held in a window. */
  readonly alarm: bigint;
}

/** As with the limits of budgets. */
const ALARM_MAX = 2n ** 61n;

/*
 * 1 / Φ⁻¹(3/4) = 1.4826…: so many times the median absolute deviation is the standard deviation, where what is measured is
 * distributed normally (P. J. Rousseeuw, C. Croux, Alternatives to the Median Absolute Deviation, Journal of the American
 * Statistical Association 88, 1993). Exactly this fraction, so that everybody computes the same.
 */
const PER_MAD = { numerator: 14_826n, denominator: 10_000n };

/** Where windows hardly differ a tenth of the median is taken for the deviation: a steady agent may spend a little more. */
const LEAST_DEVIATION_DIVISOR = 10n;

/** Of amounts of 0 or more. */
const dividedUp = (amount: bigint, by: bigint) => (amount + by - 1n) / by;
const greatest = (one: bigint, other: bigint) => (one > other ? one : other);

/** The middle one, or what lies halfway between the two in the middle, rounded up. */
function median(amounts: readonly bigint[]): bigint {
  const sorted = [...amounts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const upper = Math.floor(sorted.length / 2);
  const lower = sorted.length % 2 === 0 ? upper - 1 : upper;
  return dividedUp((sorted[lower] ?? 0n) + (sorted[upper] ?? 0n), 2n);
}

/**
 * From where on a window is out of the ordinary, by what was spent in those before it: undefined where these are too few.
 * The median and `deviations` times the greater of 1.4826 median absolute deviations and a tenth of the median, and never
 * less than the floor. Each quotient is rounded up to a whole millionth. The store computes the same when it opens a window
 * (`remit_spending_alarm`).
 */
export function spendingAlarm(
  history: readonly bigint[],
  { deviations, windowsMin, floor }: SpendingSettings,
): SpendingAlarm | undefined {
  if (history.length === 0 || history.length < windowsMin) return undefined;
  const middle = median(history);
  const mad = median(history.map((spent) => (spent > middle ? spent - middle : middle - spent)));
  const deviation = greatest(
    dividedUp(mad * PER_MAD.numerator, PER_MAD.denominator),
    dividedUp(middle, LEAST_DEVIATION_DIVISOR),
  );
  const alarm = greatest(floor, middle + BigInt(deviations) * deviation);
  return { median: middle, mad, alarm: alarm > ALARM_MAX ? ALARM_MAX : alarm };
}
