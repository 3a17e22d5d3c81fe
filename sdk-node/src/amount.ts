/** An exact quantity of one unit: a currency code, `tokens`, `calls` or any word, and a decimal such as "12.50". */
export interface Amount {
  readonly unit: string;
  /** A decimal of 0 or more with at most six digits after the point. A string, since floats round money. */
  readonly value: string;
}

const decimal = /^(?:0|[1-9]\d{0,12})(?:\.\d{1,6})?$/;

function micros(amount: Amount): bigint {
  if (!decimal.test(amount.value)) {
    throw new RangeError(`${JSON.stringify(amount.value)} ${amount.unit} is not a decimal such as "12.50"`);
  }
  const [whole = "0", fraction = ""] = amount.value.split(".");
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
}

function decimalOf(total: bigint): string {
  const fraction = (total % 1_000_000n).toString().padStart(6, "0").replace(/0+$/, "");
  return fraction === "" ? `${total / 1_000_000n}` : `${total / 1_000_000n}.${fraction}`;
}

/** Sums amounts as they come, exactly, one total a unit. */
export interface Tally {
  /** Throws `RangeError` when the value is not a decimal. */
  add(amount: Amount): void;
  /** The totals in the order in which their units came first; empty when nothing was added. */
  totals(): Amount[];
}

export function createTally(): Tally {
  const sums = new Map<string, bigint>();
  return {
    add: (amount) => {
      sums.set(amount.unit, (sums.get(amount.unit) ?? 0n) + micros(amount));
    },
    totals: () => [...sums].map(([unit, total]) => ({ unit, value: decimalOf(total) })),
  };
}
