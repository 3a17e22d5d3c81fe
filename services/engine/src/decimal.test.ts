import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareDecimals, type Decimal, decimalOfNumber, decimalOfText } from "./decimal.ts";

const of = (text: string) => decimalOfText(text) as Decimal;

describe("a decimal", () => {
  it.each([
    ["1.50", "1.5", 0],
    ["0.1", "0.10000000000000001", -1],
    ["9007199254740993", "9007199254740992", 1],
    ["-2", "1", -1],
    ["-0", "0", 0],
    ["0.300000000000000001", "0.3", 1],
  ])("%s against %s is %i", (one, other, sign) => {
    expect(compareDecimals(of(one), of(other))).toBe(sign);
    expect(Object.is(compareDecimals(of(other), of(one)), -sign) || sign === 0).toBe(true);
  });

  it.each([
    "",
    "1e3",
    "+1",
    "01",
    ".5",
    "5.",
    "1,5",
    " 1",
    "1 ",
    "0x10",
    "Infinity",
    "１",
    "1_000",
    `1${"0".repeat(64)}`,
  ])("is not made of %j", (text) => expect(decimalOfText(text)).toBeUndefined());

  it("is what JSON wrote for a number, however large or small, and orders numbers as they are", () => {
    expect(decimalOfNumber(1e21)).toEqual({ digits: 10n ** 21n, scale: 0 });
    expect(decimalOfNumber(1.5e-7)).toEqual({ digits: 15n, scale: 8 });
    expect(decimalOfNumber(Number.NaN)).toBeUndefined();
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, finite, (one, other) => {
        const order = compareDecimals(decimalOfNumber(one) as Decimal, decimalOfNumber(other) as Decimal);
        expect(order).toBe(one < other ? -1 : one > other ? 1 : 0);
      }),
    );
  });
});
