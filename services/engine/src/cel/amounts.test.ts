import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complaintsOf, resultOf } from "../../test/conditions.ts";

const withAmount = (text: string, amount: unknown) => resultOf(text, { input: { amount: amount as string } });

describe("amount", () => {
  it.each([
    ['amount("500.00") == amount("500")', true],
    ["amount(500) == amount(500.0)", true],
    ['amount("0.10") + amount("0.20") == amount("0.30")', true],
    ['amount(0.1) + amount(0.2) == amount("0.3")', true],
    ['amount("0.30") - amount("0.10") > amount("0.2")', false],
    ['amount("1") - amount("3") < amount("0")', true],
    ['amount("2000000000000.000001") > amount("2000000000000")', true],
    ['amount("12.50", "EUR") >= amount("12.5", "EUR")', true],
    ['amount("12.50", "EUR") != amount("12.51", "EUR")', true],
    ['amount("7", "tokens") in [amount("5", "tokens"), amount("7", "tokens")]', true],
  ])("%s is %s", (text, expected) => {
    expect(resultOf(text)).toBe(expected);
  });

  it.each([
    ["500.01", false],
    ["499.999999", true],
    ["500", true],
    [500, true],
    [500.01, false],
    [0, true],
    [499.99, true],
  ])("of %j is at most 500: %s", (given, expected) => {
    expect(withAmount('amount(input.amount) <= amount("500")', given)).toBe(expected);
  });

  it.each([
    "-1",
    "+1",
    "1e3",
    "0x10",
    "010",
    "",
    " 5",
    "5 ",
    "5,00",
    "1,000.00",
    "1.2345678",
    ".5",
    "5.",
    "NaN",
    "Infinity",
    "٥",
    "12345678901234",
    "5\n",
    "５",
    -1,
    -0.01,
    0.1 + 0.2,
    1e-7,
    1e21,
    123456789012345.6,
    2.000000000000001,
  ])("of %j is unknown", (given) => {
    expect(withAmount('amount(input.amount) < amount("500")', given)).toMatch(/^unknown: not an exact amount/);
  });

  it.each([null, true, ["5"], { value: "5" }])("of %j is unknown", (given) => {
    expect(withAmount('amount(input.amount) < amount("500")', given)).toMatch(/^unknown: amount\(\) of /);
  });

  it("never compares or adds two units", () => {
    const input = { amount: "5", currency: "USD", odd: "usd!" };
    const unknown = (text: string) => resultOf(text, { input });
    for (const sign of ["<", "==", "!=", ">="]) {
      expect(unknown(`amount(input.amount, input.currency) ${sign} amount("500", "EUR")`)).toMatch(/of USD and EUR$/);
      expect(unknown(`amount(input.amount) ${sign} amount("500", "EUR")`)).toMatch(
        /of an amount without a unit and EUR$/,
      );
    }
    expect(unknown('amount(input.amount, input.currency) + amount("1", "EUR") == amount("6", "EUR")')).toMatch(
      /^unknown/,
    );
    expect(unknown('amount(input.amount, input.currency) - amount("1") == amount("4")')).toMatch(/^unknown/);
    expect(unknown('amount(input.amount, input.odd) == amount("5")')).toMatch(/^unknown: not a unit/);
    expect(unknown('amount(input.amount, input.currency) == amount("5.0", "USD")')).toBe(true);
  });

  it("is no number and no text", () => {
    expect(resultOf('amount("5") == input.amount', { input: { amount: "5" } })).toMatch(/^unknown/);
    expect(resultOf('type(amount("5")) == type(amount(3))')).toBe(true);
    expect(complaintsOf('amount("5") > 3')).toEqual(["`>` between an amount and an int"]);
    expect(complaintsOf('amount("5") / 2 > amount("3")')[0]).toMatch(/^a side of `\/` cannot be an amount/);
    expect(complaintsOf('amount("5")')).toEqual(["a condition that is an amount"]);
  });

  it("is taken a whole number of times, exactly, and never by a part or by another amount", () => {
    const input = { price: "0.10", quantity: 3, part: 2.5, most: 9_007_199_254_740_991 };
    const result = (text: string) => resultOf(text, { input });
    expect(result('amount(input.price, "EUR") * 3 == amount("0.30", "EUR")')).toBe(true);
    expect(result('input.quantity * amount(input.price, "EUR") == amount("0.30", "EUR")')).toBe(true);
    expect(result('amount(input.price) * -1 < amount("0")')).toBe(true);
    expect(result('amount(input.price) * input.part > amount("0")')).toMatch(
      /^unknown: `\*` of an amount and a double/,
    );
    expect(result("amount(input.price) * input.price == amount(input.price)")).toMatch(/^unknown: `\*`/);
    expect(result("amount(input.price) * input.most > amount(input.price)")).toMatch(
      /^unknown: an amount out of range/,
    );
    expect(complaintsOf('amount("5") * amount("2") > amount("3")')).toEqual(["`*` between an amount and an amount"]);
    expect(complaintsOf('amount("5") * "2" > amount("3")')[0]).toMatch(/^a side of `\*` cannot be a string/);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 8n }), fc.integer({ min: 0, max: 10 ** 6 }), (cents, times) => {
        const [price, total] = [cents, cents * BigInt(times)].map((value) => {
          return `${value / 100n}.${String(value % 100n).padStart(2, "0")}`;
        });
        const facts = { input: { price: price as string, total: total as string, times } };
        expect(resultOf("amount(input.price) * input.times == amount(input.total)", facts)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['amount("5,00") > amount("1")', /^`amount` of "5,00": not an exact amount/],
    ['amount("-5") > amount("1")', /^`amount` of "-5": not an exact amount/],
    ['amount(0.1234567) > amount("1")', /^`amount` of "0.1234567": not an exact amount/],
    ['amount(input.amount, "Euro") > amount("1", "EUR")', /^not a unit/],
    ['amount("1", "€") > amount("1", "EUR")', /^not a unit/],
  ])("%s does not compile", (text, complaint) => expect(complaintsOf(text)[0]).toMatch(complaint));

  it("is exact for every decimal of fifteen digits, as text and as a JSON number", () => {
    const cents = fc.bigInt({ min: 0n, max: 10n ** 13n - 1n });
    fc.assert(
      fc.property(cents, cents, (a, b) => {
        const [one, other] = [a, b].map((value) => `${value / 100n}.${String(value % 100n).padStart(2, "0")}`);
        const input = { a: one as string, b: other as string, c: Number(one), d: Number(other) };
        expect(resultOf("amount(input.a) < amount(input.b)", { input })).toBe(a < b);
        expect(resultOf("amount(input.c) < amount(input.d)", { input })).toBe(a < b);
        expect(resultOf("amount(input.a) == amount(input.c)", { input })).toBe(true);
        const sum = a + b;
        const text = `${sum / 100n}.${String(sum % 100n).padStart(2, "0")}`;
        if (sum / 100n < 10n ** 12n) {
          expect(resultOf(`amount(input.a) + amount(input.d) == amount("${text}")`, { input })).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
