import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAmount, parseAmount } from "./amount.ts";

test.each([
  ["0", 0n],
  ["12.50", 12_500_000n],
  ["0.000001", 1n],
  ["2305843009213.693952", 2n ** 61n],
])("%s is exact", (value, micros) => {
  expect(parseAmount("EUR", value, "estimate[0]").micros).toBe(micros);
});

test.each([
  "",
  "-1",
  "+1",
  "1e3",
  "NaN",
  "Infinity",
  "0x10",
  "01",
  "1.",
  ".5",
  "1.0000001",
  "1,5",
  " 1",
  "1 ",
  "١",
  "2305843009213.693953",
  "99999999999999",
])("%j is no amount", (value) => {
  expect(() => parseAmount("EUR", value, "estimate[0]")).toThrow("estimate[0].value");
});

test.each(["", "eu r", "EURO", "E", "1x", "é"])("%j is no unit", (unit) => {
  expect(() => parseAmount(unit, "1", "actual[2]")).toThrow("actual[2].unit");
});

test("an amount is written as the shortest decimal and reads back as itself", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 61n }), (micros) => {
      const text = formatAmount(micros);
      expect(parseAmount("tokens", text, "x").micros).toBe(micros);
      expect(text).not.toMatch(/\.\d*0$/);
    }),
  );
});

test("what is no amount is repeated in the error, and no more of it than somebody reads", () => {
  const said = (unit: string, value: string) => {
    try {
      return parseAmount(unit, value, "limit").unit;
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(said("EUR", "1,5")).toBe('limit.value must be a decimal, got "1,5"');
  for (const long of ["9".repeat(1_000_000), "\0".repeat(1_000_000)]) {
    expect(said("EUR", long).length).toBeLessThan(1_500);
    expect(said(long, "1").length).toBeLessThan(1_500);
  }
});
