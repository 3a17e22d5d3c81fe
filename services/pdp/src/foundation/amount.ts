import { invalid } from "./fault.ts";
import { quoted } from "./quoted.ts";

/** An exact quantity in millionths of its unit. */
export interface Amount {
  readonly unit: string;
  readonly micros: bigint;
}

const UNIT = /^(?:[A-Z]{3}|[a-z][a-z0-9_]{0,31})$/;
const DECIMAL = /^(?:0|[1-9][0-9]{0,12})(?:\.[0-9]{1,6})?$/;
const MICROS_MAX = 2n ** 61n;

/** Reads a unit and a decimal. Negative, over-precise, NaN-like and absent values are errors, never 0. */
export function parseAmount(unit: string, value: string, field: string): Amount {
  if (!UNIT.test(unit)) {
    throw invalid(`${field}.unit`, `${field}.unit must be a currency code or a word, got ${quoted(unit)}`, {
      fix: "write EUR, tokens, calls ...",
    });
  }
  if (!DECIMAL.test(value)) {
    throw invalid(`${field}.value`, `${field}.value must be a decimal, got ${quoted(value)}`, {
      limit: "0 or more, at most 13 digits before the point and 6 after it",
      fix: 'write it as a string such as "12.50"',
    });
  }
  const [whole = "0", fraction = ""] = value.split(".");
  const micros = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
  if (micros > MICROS_MAX) throw invalid(`${field}.value`, `${field}.value is too large`, { limit: "2^61 millionths" });
  return { unit, micros };
}

/** The shortest decimal of an amount. */
export function formatAmount(micros: bigint): string {
  const rest = micros % 1_000_000n;
  const whole = String(micros / 1_000_000n);
  return rest === 0n ? whole : `${whole}.${rest.toString().padStart(6, "0").replace(/0+$/, "")}`;
}
