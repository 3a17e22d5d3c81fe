import {
  type Answer,
  Dictionary,
  double,
  int,
  isNumber,
  type Key,
  type Known,
  Money,
  missing,
  odd,
  ordered,
  Span,
  same,
  Time,
  Unknown,
} from "./values.ts";

/** An operator's answer on known values; undefined if the name is no operator. `written`: the list is a literal. */
export function operate(
  name: string,
  values: readonly Known[],
  written: boolean,
  flaw: string | undefined,
): Answer | undefined {
  const [left = null, right = null] = values;
  switch (name) {
    case "_==_":
      return same(left, right);
    case "_!=_": {
      const equal = same(left, right);
      return equal instanceof Unknown ? equal : !equal;
    }
    case "_<_":
      return held(left, right, (order) => order < 0);
    case "_<=_":
      return held(left, right, (order) => order <= 0);
    case "_>_":
      return held(left, right, (order) => order > 0);
    case "_>=_":
      return held(left, right, (order) => order >= 0);
    case "_+_":
      return sum(left, right);
    case "_-_":
      return values.length === 1 ? undefined : difference(left, right);
    case "_*_":
      if (left instanceof Money) return product(left, right, flaw);
      if (right instanceof Money) return product(right, left, flaw);
      return calculated(
        left,
        right,
        (a, b) => a * b,
        (a, b) => a * b,
      );
    case "_/_":
      if (typeof left === "bigint" && right === 0n) return odd;
      return calculated(
        left,
        right,
        (a, b) => a / b,
        (a, b) => (flaw === "doubles-divide-as-ints" ? Math.trunc(a / b) : a / b),
      );
    case "_%_":
      return rest(left, right);
    case "-_":
      if (typeof left === "bigint") return int(-left);
      return typeof left === "number" ? -left : odd;
    case "@in":
      return isIn(left, right, written);
    case "_[_]":
      return at(left, right);
    default:
      return undefined;
  }
}

function held(left: Known, right: Known, holds: (order: number) => boolean): Answer {
  const order = ordered(left, right);
  return order instanceof Unknown ? order : holds(order);
}

function calculated(
  left: Known,
  right: Known,
  ints: (a: bigint, b: bigint) => bigint,
  doubles: (a: number, b: number) => number,
): Answer {
  if (!isNumber(left) || !isNumber(right)) return odd;
  if (typeof left === "bigint" && typeof right === "bigint") return int(ints(left, right));
  return double(doubles(Number(left), Number(right)));
}

const firstTime = BigInt(Date.parse("0001-01-01T00:00:00Z")) * 1_000_000n;
const endOfTime = (BigInt(Date.parse("9999-12-31T23:59:59Z")) + 1000n) * 1_000_000n;

function time(ns: bigint): Answer {
  return ns < firstTime || ns >= endOfTime ? odd : new Time(ns);
}

/** Sums and differences of amounts reach as far as 2^62 millionths, either way. */
function bounded(money: Money): Answer {
  const size = money.numerator < 0n ? -money.numerator : money.numerator;
  return size * 1_000_000n > 2n ** 62n * money.denominator ? odd : money;
}

function sum(left: Known, right: Known): Answer {
  if (left instanceof Money && right instanceof Money) {
    return left.unit === right.unit ? bounded(left.plus(right)) : odd;
  }
  if (typeof left === "string" && typeof right === "string") return `${left}${right}`;
  if (Array.isArray(left) && Array.isArray(right)) return left.concat(right) as Known[];
  if (left instanceof Time && right instanceof Span) return time(left.ns + right.ns);
  if (left instanceof Span && right instanceof Time) return time(left.ns + right.ns);
  if (left instanceof Span && right instanceof Span) return new Span(left.ns + right.ns);
  return calculated(
    left,
    right,
    (a, b) => a + b,
    (a, b) => a + b,
  );
}

/** So many times an amount: a whole number of times, also one that is written as a double. */
function product(price: Money, count: Known, flaw: string | undefined): Answer {
  const whole = typeof count === "bigint" || (typeof count === "number" && Number.isSafeInteger(count));
  if (!whole && !(flaw === "parts-of-quantities-are-dropped" && typeof count === "number")) return odd;
  return bounded(price.times(typeof count === "bigint" ? count : BigInt(Math.trunc(count as number))));
}

function difference(left: Known, right: Known): Answer {
  if (left instanceof Money && right instanceof Money) {
    return left.unit === right.unit ? bounded(left.minus(right)) : odd;
  }
  if (left instanceof Time && right instanceof Time) return new Span(left.ns - right.ns);
  if (left instanceof Time && right instanceof Span) return time(left.ns - right.ns);
  if (left instanceof Span && right instanceof Span) return new Span(left.ns - right.ns);
  return calculated(
    left,
    right,
    (a, b) => a - b,
    (a, b) => a - b,
  );
}

/** Of whole numbers, also those that are written as doubles. */
function rest(left: Known, right: Known): Answer {
  const whole = (value: Known) => typeof value === "bigint" || Number.isSafeInteger(value);
  if (!whole(left) || !whole(right) || Number(right) === 0) return odd;
  const remainder = BigInt(left as number) % BigInt(right as number);
  return typeof left === "bigint" && typeof right === "bigint" ? remainder : Number(remainder);
}

function asKey(value: Known): Key | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : undefined;
  return typeof value === "string" || typeof value === "bigint" || typeof value === "boolean" ? value : undefined;
}

function isIn(item: Known, container: Known, written: boolean): Answer {
  if (container instanceof Dictionary) {
    const key = asKey(item);
    if (key === undefined || (!container.written && typeof key !== "string")) return odd;
    if (container.entries.has(key)) return true;
    const keys = [...container.entries.keys()];
    const alike = keys.some((other) => typeof other === typeof key);
    return !container.written || keys.length === 0 || alike ? false : odd;
  }
  if (!Array.isArray(container)) return odd;
  const truths = container.map((element: Known) => same(item, element));
  if (truths.includes(true)) return true;
  if (!truths.some((truth) => truth instanceof Unknown)) return false;
  return written && truths.includes(false) ? false : odd;
}

function at(container: Known, index: Known): Answer {
  const key = asKey(index);
  if (container instanceof Dictionary) {
    if (key === undefined || (!container.written && typeof key !== "string")) return odd;
    const value = container.entries.get(key);
    return value === undefined ? missing : value;
  }
  if (Array.isArray(container)) {
    if (typeof key !== "bigint") return odd;
    return key >= 0n && key < BigInt(container.length) ? (container[Number(key)] as Known) : missing;
  }
  return container === null ? missing : odd;
}
