import { charSteps, type Frame, spend } from "./frame.ts";
import {
  checkedDouble,
  checkedInt,
  costFailure,
  Duration,
  Failure,
  isList,
  type Outcome,
  Quantity,
  Timestamp,
  typeConfusion,
  unitConfusion,
  type Value,
} from "./value.ts";

export type Operation = (left: Value, right: Value, frame: Frame) => Outcome;

const noDouble = new Failure("error", "an int that no double holds exactly");

function isDouble(value: bigint): boolean {
  return BigInt(Number(value)) === value;
}

/** Int with int is exact and fails on overflow; any double makes both doubles, and none is rounded on the way. */
function numeric(
  left: Value,
  right: Value,
  ints: (left: bigint, right: bigint) => Outcome,
  doubles: (left: number, right: number) => number,
): Outcome | undefined {
  if (typeof left === "number") {
    if (typeof right === "number") return checkedDouble(doubles(left, right));
    if (typeof right === "bigint") return isDouble(right) ? checkedDouble(doubles(left, Number(right))) : noDouble;
  } else if (typeof left === "bigint") {
    if (typeof right === "bigint") return ints(left, right);
    if (typeof right === "number") return isDouble(left) ? checkedDouble(doubles(Number(left), right)) : noDouble;
  }
  return undefined;
}

const yearOneNs = -62_135_596_800_000_000_000n;
const yearTenThousandNs = 253_402_300_800_000_000_000n;

export function checkedTimestamp(ns: bigint): Timestamp | Failure {
  return ns >= yearOneNs && ns < yearTenThousandNs ? new Timestamp(ns) : new Failure("error", "a time out of range");
}

const microsMax = 2n ** 62n;

/** Sums and differences, below zero too, within 64 bits. */
function checkedAmount(micros: bigint, unit: string): Quantity | Failure {
  return micros > microsMax || micros < -microsMax ? amountOverflow : new Quantity(micros, unit);
}
const amountOverflow = new Failure("error", "an amount out of range");

/** As far as a duration reaches, either way: about ten thousand years. */
const durationNsMax = 315_576_000_000n * 1_000_000_000n;

export function checkedDuration(ns: bigint): Duration | Failure {
  const inRange = ns <= durationNsMax && ns >= -durationNsMax;
  return inRange ? new Duration(ns) : new Failure("error", "a duration out of range");
}

export const add: Operation = (left, right, frame) => {
  const sum = numeric(
    left,
    right,
    (a, b) => checkedInt(a + b),
    (a, b) => a + b,
  );
  if (sum !== undefined) return sum;
  if (typeof left === "string" && typeof right === "string") {
    return spend(frame, charSteps(left.length + right.length)) ? left + right : costFailure;
  }
  if (isList(left) && isList(right)) {
    return spend(frame, left.length + right.length) ? [...left, ...right] : costFailure;
  }
  if (left instanceof Timestamp && right instanceof Duration) return checkedTimestamp(left.ns + right.ns);
  if (left instanceof Duration && right instanceof Timestamp) return checkedTimestamp(left.ns + right.ns);
  if (left instanceof Duration && right instanceof Duration) return checkedDuration(left.ns + right.ns);
  if (left instanceof Quantity && right instanceof Quantity) {
    return left.unit === right.unit
      ? checkedAmount(left.micros + right.micros, left.unit)
      : unitConfusion("`+`", left, right);
  }
  return typeConfusion("`+`", left, right);
};

export const subtract: Operation = (left, right) => {
  const difference = numeric(
    left,
    right,
    (a, b) => checkedInt(a - b),
    (a, b) => a - b,
  );
  if (difference !== undefined) return difference;
  if (left instanceof Timestamp && right instanceof Timestamp) return new Duration(left.ns - right.ns);
  if (left instanceof Timestamp && right instanceof Duration) return checkedTimestamp(left.ns - right.ns);
  if (left instanceof Duration && right instanceof Duration) return checkedDuration(left.ns - right.ns);
  if (left instanceof Quantity && right instanceof Quantity) {
    return left.unit === right.unit
      ? checkedAmount(left.micros - right.micros, left.unit)
      : unitConfusion("`-`", left, right);
  }
  return typeConfusion("`-`", left, right);
};

export const multiply: Operation = (left, right) =>
  numeric(
    left,
    right,
    (a, b) => checkedInt(a * b),
    (a, b) => a * b,
  ) ??
  times(left, right) ??
  times(right, left) ??
  typeConfusion("`*`", left, right);

/** A price by a quantity: whole numbers alone, whichever way they are written, so that nothing is rounded. */
function times(amount: Value, count: Value): Outcome | undefined {
  const whole = amount instanceof Quantity ? wholeFrom(count) : undefined;
  return whole === undefined || !(amount instanceof Quantity)
    ? undefined
    : checkedAmount(amount.micros * whole, amount.unit);
}

const byZero = new Failure("error", "a division by zero");

export const divide: Operation = (left, right) =>
  numeric(
    left,
    right,
    (a, b) => (b === 0n ? byZero : checkedInt(a / b)),
    (a, b) => a / b,
  ) ?? typeConfusion("`/`", left, right);

/** The remainder of whole numbers, whichever way they are written. */
export const remainder: Operation = (left, right) => {
  const [a, b] = [wholeFrom(left), wholeFrom(right)];
  if (a === undefined || b === undefined) return typeConfusion("`%`", left, right);
  if (b === 0n) return byZero;
  return typeof left === "bigint" && typeof right === "bigint" ? a % b : Number(a % b);
};

function wholeFrom(value: Value): bigint | undefined {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

export function negate(value: Value): Outcome {
  if (typeof value === "number") return -value;
  if (typeof value === "bigint") return checkedInt(-value);
  return typeConfusion("`-`", value);
}
