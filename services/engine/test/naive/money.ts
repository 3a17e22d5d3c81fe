import type { Amount, Facts } from "../../src/index.ts";
import { type Answer, Dictionary, type Key, type Known, Money, missing, odd, Unknown } from "./values.ts";

type Budget = NonNullable<Facts["budget"]>[string];

const digits = "0123456789";
/** The most that one amount can be: 2^61 millionths. */
const most = new Money(2n ** 61n, 1_000_000n, "");

/** A decimal, digit by digit: 0 or more, no zeros before it, six digits after its point at most. */
function decimal(text: string, unit: string, flaw: string | undefined): Answer {
  let [numerator, denominator, whole, fraction] = [0n, 1n, 0, -1];
  for (const character of flaw === "signs-of-amounts-are-dropped" ? text.replace(/^-/, "") : text) {
    if (character === "." && fraction < 0 && whole > 0) {
      fraction = 0;
      continue;
    }
    const digit = digits.indexOf(character);
    if (digit < 0 || (fraction < 0 && whole === 1 && numerator === 0n)) return odd;
    numerator = numerator * 10n + BigInt(digit);
    if (fraction < 0) whole++;
    else {
      fraction++;
      denominator *= 10n;
    }
  }
  if (whole === 0 || whole > 13 || fraction === 0 || fraction > 6) return odd;
  const money = new Money(numerator, denominator, unit);
  if (money.minus(most).numerator > 0n) return odd;
  return flaw === "amounts-are-cut-to-cents" ? cents(money) : money;
}

function cents({ numerator, denominator, unit }: Money): Money {
  return new Money((numerator * 100n) / denominator, 100n, unit);
}

/** Three capitals, or a small word. */
function isUnit(text: string): boolean {
  const capitals = [...text].every((one) => one >= "A" && one <= "Z");
  if (capitals) return text.length === 3;
  const small = [...text].every((one, at) => (one >= "a" && one <= "z") || (at > 0 && `_${digits}`.includes(one)));
  return small && text.length <= 32;
}

/** The decimal that JSON wrote for a double, where fifteen digits say which double it was. */
function written(value: number): string {
  let text = value.toPrecision(15);
  if (Number(text) !== value || text.includes("e")) return "";
  while (text.includes(".") && (text.endsWith("0") || text.endsWith("."))) text = text.slice(0, -1);
  return text;
}

/** `amount(x)` and `amount(x, unit)`. */
export function amountOf([value = null, unit = ""]: readonly Known[], flaw: string | undefined): Answer {
  if (typeof unit !== "string" || (unit !== "" && !isUnit(unit))) return odd;
  const kept = flaw === "units-of-amounts-are-ignored" ? "" : unit;
  if (typeof value === "string") return decimal(value, kept, flaw);
  if (typeof value === "bigint") return decimal(`${value}`, kept, flaw);
  if (typeof value !== "number") return odd;
  return decimal(written(value), kept, flaw);
}

/** `call.estimate`: amounts by unit. */
export function estimateOf(amounts: readonly Amount[], flaw: string | undefined): Answer {
  const entries = new Map<Key, Known>();
  for (const { unit, value } of amounts) {
    const money = amountOf([value, unit], flaw);
    if (money instanceof Unknown) return odd;
    entries.set(unit, money as Known);
  }
  if (flaw === "missing-estimate-is-nothing" && !entries.has("EUR")) entries.set("EUR", new Money(0n, 1n, "EUR"));
  return new Dictionary(entries, true);
}

/** One field of a budget that may not be kept. */
export function budgetField(budget: Budget | undefined, field: string, flaw: string | undefined): Answer {
  const nothing = flaw === "missing-budget-is-boundless" && field === "remaining";
  if (!budget) return nothing ? new Money(10n ** 12n, 1n, "EUR") : missing;
  if (field === "used") return usedShare(budget, flaw);
  const value = budget[field as "limit" | "spent" | "remaining"];
  return value === undefined ? missing : amountOf([value, budget.unit], flaw);
}

function usedShare(budget: Budget, flaw: string | undefined): Answer {
  const { limit, spent, remaining } = budget;
  if (limit === undefined || remaining === undefined) return missing;
  const [all, left, gone] = [limit, remaining, spent ?? "0"].map((value) => amountOf([value, ""], undefined));
  if (!(all instanceof Money && left instanceof Money && gone instanceof Money)) return odd;
  if (all.numerator === 0n) return 1;
  const used = flaw === "held-money-is-free" ? gone : all.minus(left);
  return used.numerator <= 0n ? 0 : quotient(used.numerator * all.denominator, used.denominator * all.numerator);
}

/** A quotient of whole numbers as the double next to it: 60 of its digits are written down and read. */
function quotient(dividend: bigint, divisor: bigint): number {
  let text = `${dividend / divisor}.`;
  let rest = dividend % divisor;
  for (let place = 0; place < 60; place++) {
    rest *= 10n;
    text += `${rest / divisor}`;
    rest %= divisor;
  }
  return Number(rest === 0n ? text : `${text}1`);
}
