import { expect, it } from "vitest";
import { compileTexts, toolText } from "../../test/sample.ts";
import { estimateFor } from "../index.ts";

const eur = (value: string) => ({ unit: "EUR", value });
const tokens = { unit: "tokens", value: "1000" };
const compiled = compileTexts(toolText("pay", { cost: [eur("0.25"), tokens] }), toolText("mail"));

it("a call whose caller estimates nothing is expected to cost what its tool does", () => {
  expect(estimateFor(compiled, "pay", [])).toEqual([eur("0.25"), tokens]);
  expect(estimateFor(compiled, "mail", [])).toEqual([]);
  expect(estimateFor(compiled, "unknown", [])).toEqual([]);
});

it("an estimate stands in its unit, and the tool's cost in the others", () => {
  expect(estimateFor(compiled, "pay", [eur("3")])).toEqual([eur("3"), tokens]);
  const whole = [eur("3"), { unit: "tokens", value: "1" }];
  expect(estimateFor(compiled, "pay", whole)).toBe(whole);
});
