import type { JsonObject } from "../json.ts";

/** What a condition computes with. JSON numbers are doubles; ints are bigints, so that the two never mix unseen. */
export type Value = null | boolean | number | bigint | string | readonly Value[] | JsonObject | Opaque;

/** A value, or why there is none. */
export type Outcome = Value | Failure;

/** What is neither JSON nor an int: told apart from a JSON map by one check. */
abstract class Opaque {
  /** What messages call it. */
  abstract readonly kind: string;
}

export class Failure extends Opaque {
  readonly kind = "failure";
  readonly reason: "missing" | "type" | "error" | "cost";
  readonly why: string;

  constructor(reason: Failure["reason"], why: string) {
    super();
    this.reason = reason;
    this.why = why;
  }
}

export class Timestamp extends Opaque {
  readonly kind = "a timestamp";
  /** Nanoseconds since 1970. */
  readonly ns: bigint;

  constructor(ns: bigint) {
    super();
    this.ns = ns;
  }
}

export class Duration extends Opaque {
  readonly kind = "a duration";
  readonly ns: bigint;

  constructor(ns: bigint) {
    super();
    this.ns = ns;
  }
}

/** An exact amount, as `amount("12.50", "EUR")` is. */
export class Quantity extends Opaque {
  readonly kind = "an amount";
  /** Millionths of its unit. */
  readonly micros: bigint;
  /** Empty where none was given, which is a unit of its own. */
  readonly unit: string;

  constructor(micros: bigint, unit: string) {
    super();
    this.micros = micros;
    this.unit = unit;
  }
}

/** What `type(x)` answers. */
export class TypeName extends Opaque {
  readonly kind = "a type";
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** A map written in a condition: its keys may be text, ints or bools. */
export class LiteralMap extends Opaque {
  readonly kind = "a map";
  readonly entries: ReadonlyMap<string | bigint | boolean, Value>;

  constructor(entries: ReadonlyMap<string | bigint | boolean, Value>) {
    super();
    this.entries = entries;
  }
}

export const costFailure = new Failure("cost", "the evaluation passed its cost limit");

export function isMap(value: Value): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Opaque);
}

/** Whether a value is neither JSON nor an int. */
export function isOpaque(value: Value): value is Opaque {
  return value instanceof Opaque;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** How messages call a value's type. */
export function kindOf(value: Value): string {
  if (value === null) return "null";
  if (value instanceof Opaque) return value.kind;
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "boolean":
      return "a bool";
    case "number":
      return "a double";
    case "bigint":
      return "an int";
    case "string":
      return "a string";
    default:
      return "a map";
  }
}

export function typeConfusion(what: string, ...values: readonly Value[]): Failure {
  return new Failure("type", `${what} of ${values.map(kindOf).join(" and ")}`);
}

const intMax = 2n ** 63n - 1n;
const intMin = -(2n ** 63n);

/** An int of 64 bits, or the failure that it is none. */
export function checkedInt(value: bigint): bigint | Failure {
  return value > intMax || value < intMin ? new Failure("error", "an int overflowed") : value;
}

/** A finite double, or the failure that it is none: a comparison with what is not a number would pass unseen. */
export function checkedDouble(value: number): number | Failure {
  return Number.isFinite(value) ? value : new Failure("error", "a double that is not a finite number");
}

/** Amounts of two units are as different as two types: no rate between them is known. */
export function unitConfusion(what: string, left: Quantity, right: Quantity): Failure {
  const [one, other] = [left, right].map(({ unit }) => (unit === "" ? "an amount without a unit" : unit));
  return new Failure("type", `${what} of ${one} and ${other}`);
}
