import type { JsonObject, JsonValue } from "../../src/index.ts";

/** Stands for a condition's missing answer: nothing is there, or what is there is odd. */
export class Unknown {
  readonly missing: boolean;

  constructor(missing: boolean) {
    this.missing = missing;
  }
}

export const missing = new Unknown(true);
export const odd = new Unknown(false);

export class Time {
  readonly ns: bigint;

  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export class Span {
  readonly ns: bigint;

  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export class Kind {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A fraction of a unit, exact however small its parts. */
export class Money {
  readonly numerator: bigint;
  /** Above zero. */
  readonly denominator: bigint;
  readonly unit: string;

  constructor(numerator: bigint, denominator: bigint, unit: string) {
    this.numerator = numerator;
    this.denominator = denominator;
    this.unit = unit;
  }

  plus(other: Money): Money {
    const numerator = this.numerator * other.denominator + other.numerator * this.denominator;
    return new Money(numerator, this.denominator * other.denominator, this.unit);
  }

  times(count: bigint): Money {
    return new Money(this.numerator * count, this.denominator, this.unit);
  }

  minus({ numerator, denominator, unit }: Money): Money {
    return this.plus(new Money(-numerator, denominator, unit));
  }
}

/** Maps of JSON and maps written in a condition: their keys and values, and whether the keys are JSON's texts alone. */
export class Dictionary {
  readonly entries: ReadonlyMap<Key, Known>;
  readonly written: boolean;

  constructor(entries: ReadonlyMap<Key, Known>, written: boolean) {
    this.entries = entries;
    this.written = written;
  }
}

export type Key = string | bigint | boolean;
export type Known =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Known[]
  | Dictionary
  | Time
  | Span
  | Kind
  | Money;
export type Answer = Known | Unknown;

/** A schema of the generator's kind: what is declared an integer makes ints. */
export type Schema = JsonObject | undefined;

/** JSON as conditions see it. A whole number is an int exactly where the called tool's schema declares it. */
export function fromJson(value: JsonValue, schema: Schema): Answer {
  if (typeof value === "number") {
    if (schema?.type !== "integer") return value;
    return Number.isSafeInteger(value) ? BigInt(value) : odd;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => fromJson(item, schema?.items as Schema));
    return items.some((item) => item instanceof Unknown) ? odd : (items as Known[]);
  }
  const entries = new Map<Key, Known>();
  for (const [key, item] of Object.entries(value)) {
    const properties = (schema?.properties ?? {}) as JsonObject;
    const known = fromJson(item, Object.hasOwn(properties, key) ? (properties[key] as Schema) : undefined);
    // What no number carries is odd by itself and leaves what stands beside it alone; inputs hold none of these.
    if (known instanceof Unknown) return odd;
    entries.set(key, known);
  }
  return new Dictionary(entries, false);
}

/** A value as a transform puts it into the input. */
export function asJson(value: Known): JsonValue | Unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : odd;
  if (value instanceof Time) return timeText(value.ns);
  if (value instanceof Span) return spanText(value.ns);
  if (value instanceof Kind || value instanceof Money) return odd;
  if (value instanceof Dictionary) {
    const map: Record<string, JsonValue> = {};
    for (const [key, item] of value.entries) {
      const json = asJson(item);
      if (json instanceof Unknown) return odd;
      Object.defineProperty(map, String(key), { value: json, enumerable: true, configurable: true, writable: true });
    }
    return map;
  }
  if (typeof value !== "object" || value === null) return value;
  const items = value.map(asJson);
  return items.some((item) => item instanceof Unknown) ? odd : (items as JsonValue[]);
}

const nsOfSecond = 1_000_000_000n;

function digits(ns: bigint): string {
  if (ns === 0n) return "";
  let text = ns.toString().padStart(9, "0");
  while (text.endsWith("0")) text = text.slice(0, -1);
  return `.${text}`;
}

export function timeText(ns: bigint): string {
  let rest = ns % nsOfSecond;
  if (rest < 0n) rest += nsOfSecond;
  const iso = new Date(Number((ns - rest) / 1_000_000n)).toISOString();
  return `${iso.slice(0, -5)}${digits(rest)}Z`;
}

export function spanText(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  return `${ns < 0n ? "-" : ""}${size / nsOfSecond}${digits(size % nsOfSecond)}s`;
}

export type Truth = boolean | Unknown;

/** `==`: unknown between types, and between maps of which one lacks a key, unless another part differs. */
export function same(left: Known, right: Known): Truth {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right) === 0;
  if (left === null || right === null) return left === right ? true : odd;
  if (Array.isArray(left) && Array.isArray(right)) {
    if (left.length !== right.length) return false;
    return every(left.map((item, index) => same(item as Known, right[index] as Known)));
  }
  if (left instanceof Dictionary && right instanceof Dictionary) {
    const keys = new Set([...left.entries.keys(), ...right.entries.keys()]);
    return every(
      [...keys].map((key) => {
        const [one, other] = [left.entries.get(key), right.entries.get(key)];
        return one === undefined || other === undefined ? missing : same(one, other);
      }),
    );
  }
  if (left instanceof Money && right instanceof Money) {
    return left.unit === right.unit ? left.minus(right).numerator === 0n : odd;
  }
  if (left instanceof Time && right instanceof Time) return left.ns === right.ns;
  if (left instanceof Span && right instanceof Span) return left.ns === right.ns;
  if (left instanceof Kind && right instanceof Kind) return left.name === right.name;
  if (typeof left === "object" || typeof right === "object") return odd;
  return typeof left === typeof right ? left === right : odd;
}

/** All of them, as `&&` has it: false if any is, else unknown if any is. */
function every(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.find((truth) => truth instanceof Unknown) ?? true;
}

export function isNumber(value: Known): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** By value, exactly: a double is a whole number and a fraction of 2^-1074 at the least. */
function compareNumbers(left: number | bigint, right: number | bigint): number {
  if (typeof left === typeof right) return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === "number") return -compareNumbers(right, left);
  const whole = BigInt(Math.floor(right as number));
  if ((left as bigint) !== whole) return (left as bigint) < whole ? -1 : 1;
  return Number.isInteger(right) ? 0 : -1;
}

/** Below zero, zero, above zero; unknown for what has no order. */
export function ordered(left: Known, right: Known): number | Unknown {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right);
  if (typeof left === "string" && typeof right === "string") {
    const [a, b] = [Array.from(left, codeOf), Array.from(right, codeOf)];
    for (let at = 0; at < Math.min(a.length, b.length); at++) {
      if (a[at] !== b[at]) return (a[at] ?? 0) - (b[at] ?? 0);
    }
    return a.length - b.length;
  }
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (left instanceof Money && right instanceof Money) {
    return left.unit === right.unit ? compareNumbers(left.minus(right).numerator, 0n) : odd;
  }
  const bothTimes = left instanceof Time && right instanceof Time;
  const bothSpans = left instanceof Span && right instanceof Span;
  if (!bothTimes && !bothSpans) return odd;
  return left.ns < right.ns ? -1 : left.ns > right.ns ? 1 : 0;
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

const longest = 2n ** 63n;

export function int(value: bigint): bigint | Unknown {
  return value >= -longest && value < longest ? value : odd;
}

export function double(value: number): number | Unknown {
  return Number.isFinite(value) ? value : odd;
}
