import { below } from "./documents/origin.ts";
import { listOf, type Reader, record, refined, required, text } from "./documents/shape.ts";

/** A quantity as documents and facts write it: a currency or another unit, and a decimal. */
export interface Amount {
  readonly unit: string;
  readonly value: string;
}

/** A decimal of at most six digits after the point, as a regular expression that JSON Schema takes too. */
export const decimalPattern = "^(0|[1-9][0-9]{0,12})(?:\\.([0-9]{1,6}))?$";
const decimalRegex = new RegExp(decimalPattern);
/** The most that one amount can be. */
export const microsMax = 2n ** 61n;
const unitsMax = 16;

const unitPattern = "^(?:[A-Z]{3}|[a-z][a-z0-9_]{0,31})$";
const unitRegex = new RegExp(unitPattern);

/** Whether a text can name a unit: a currency such as EUR, or a word such as tokens. */
export function isUnit(text: string): boolean {
  return unitRegex.test(text);
}

/** A decimal in millionths; undefined for what is no amount: signs, exponents, more than six digits after the point. */
export function microsOf(value: string): bigint | undefined {
  const [, whole, fraction = ""] = decimalRegex.exec(value) ?? [];
  if (whole === undefined) return undefined;
  const micros = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
  return micros > microsMax ? undefined : micros;
}

/** The shortest decimal of an amount that is not negative. */
export function decimalOfMicros(micros: bigint): string {
  const rest = micros % 1_000_000n;
  const whole = String(micros / 1_000_000n);
  return rest === 0n ? whole : `${whole}.${rest.toString().padStart(6, "0").replace(/0+$/, "")}`;
}

export const unitText = text({
  pattern: unitPattern,
  expected: "a currency such as EUR, or a word such as tokens",
});

export const amountText = text({
  pattern: decimalPattern,
  test: (value) => microsOf(value) !== undefined,
  expected: 'a decimal written as text, such as "12.50": 0 or more, at most 6 digits after the point',
});

const amountList = listOf(record({ unit: required(unitText), value: required(amountText) }), 1, unitsMax);

/** Amounts of a document, at most one a unit. */
export const readAmounts: Reader<readonly Amount[]> = refined(amountList, (amounts, _value, pointer, report) => {
  const seen = new Set<string>();
  let whole = true;
  for (const [index, { unit }] of amounts.entries()) {
    if (seen.has(unit)) {
      report(below(below(pointer, index), "unit"), `\`${unit}\` is given twice`, {
        ...{ code: "given_twice", expected: "one amount a unit" },
      });
      whole = false;
    }
    seen.add(unit);
  }
  return whole ? amounts : undefined;
});

/** The first amount that is above the bound of its unit. A unit without a bound is not bounded. */
export function firstAbove(amounts: readonly Amount[], bounds: readonly Amount[]): Amount | undefined {
  return amounts.find(({ unit, value }) => {
    const bound = bounds.find((other) => other.unit === unit);
    if (!bound) return false;
    const [asked, most] = [microsOf(value), microsOf(bound.value)];
    return asked === undefined || most === undefined || asked > most;
  });
}
