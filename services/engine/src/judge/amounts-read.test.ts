import { expect, it } from "vitest";
import { allow, deny, judge } from "../../test/rules.ts";
import type { Facts } from "../index.ts";

/** An object with one more field, that counts how often it is read. */
function counted<Of extends object>(of: Of, field: string, value: string) {
  const seen = { times: 0 };
  const get = () => {
    seen.times++;
    return value;
  };
  return { of: Object.defineProperty(of, field, { get, enumerable: true }), seen };
}

const many = (condition: (at: number) => string) =>
  Array.from({ length: 20 }, (_, at) => deny(`d${at}${condition(at).length}`, condition(at + 100)));

it("what a call is expected to cost is read once, however many rules ask", () => {
  const { of, seen } = counted({ unit: "EUR" }, "value", "5");
  const rules = [allow("a"), ...many((at) => `call.estimate["EUR"] > amount(${at}, "EUR")`)];
  expect(judge(rules, { estimate: [of as { unit: string; value: string }] }).code).toBe("rule_allowed");
  expect(seen.times).toBe(1);
});

it("so is each field of a budget", () => {
  const { of, seen } = counted({ unit: "EUR", limit: "60" }, "remaining", "50");
  const budget = { travel: of } as unknown as NonNullable<Facts["budget"]>;
  const rules = [
    allow("a"),
    ...many((at) => `budget.travel.remaining > amount(${at}, "EUR")`),
    ...many((at) => `budget.travel.used * ${at}.0 > 1000000.0`),
  ];
  expect(judge(rules, { budget }).code).toBe("rule_allowed");
  expect(seen.times).toBeLessThan(5);
});

it("fields of one budget, and budgets of other names, are told from each other", () => {
  const budget = {
    travel: { unit: "EUR", limit: "60", remaining: "50" },
    "travel.remaining": { unit: "EUR", limit: "7", remaining: "3" },
  } as unknown as NonNullable<Facts["budget"]>;
  const is = (path: string, euros: number) => `${path} == amount(${euros}, "EUR")`;
  const conditions = [
    is("budget.travel.limit", 60),
    is("budget.travel.remaining", 50),
    is('budget["travel.remaining"].limit', 7),
    is('budget["travel.remaining"].remaining', 3),
  ];
  expect(judge([allow("a", conditions.join(" && "))], { budget }).code).toBe("rule_allowed");
});
