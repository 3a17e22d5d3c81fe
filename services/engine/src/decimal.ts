/** An exact decimal: `digits` ten-to-the-`scale`ths. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** A decimal as documents and inputs write it as text: a sign or none, no exponent, no zeros in front. */
export const signedDecimalPattern = "^-?(?:0|[1-9][0-9]{0,63})(?:\\.[0-9]{1,18})?$";
const textRegex = new RegExp(signedDecimalPattern);
const numberRegex = /^(-?[0-9]+)(?:\.([0-9]+))?(?:e([+-][0-9]+))?$/;

/** The decimal that a text is; undefined for any other text, of which programs may make this or that. */
export function decimalOfText(text: string): Decimal | undefined {
  return textRegex.test(text) ? parsed(text) : undefined;
}

/** The decimal that JSON wrote for a finite number: the shortest one that stands for it. */
export function decimalOfNumber(number: number): Decimal | undefined {
  return Number.isFinite(number) ? parsed(String(number)) : undefined;
}

function parsed(text: string): Decimal | undefined {
  const [, whole, fraction = "", exponent = "0"] = numberRegex.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const digits = BigInt(whole + fraction);
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

/** Below zero where the first is the smaller, 0 where they are equal, above where it is the greater. */
export function compareDecimals(one: Decimal, other: Decimal): number {
  const scale = Math.max(one.scale, other.scale);
  const [first, second] = [atScale(one, scale), atScale(other, scale)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function atScale({ digits, scale }: Decimal, wanted: number): bigint {
  return digits * 10n ** BigInt(wanted - scale);
}
