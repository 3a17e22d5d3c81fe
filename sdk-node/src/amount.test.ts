import { expect, test } from "vitest";
import { createTally } from "./amount.ts";

test("amounts of one unit are summed exactly", () => {
  const tally = createTally();
  for (const value of ["0.1", "0.2", "0.000001"]) tally.add({ unit: "EUR", value });
  tally.add({ unit: "tokens", value: "9007199254740" });
  expect(tally.totals()).toEqual([
    { unit: "EUR", value: "0.300001" },
    { unit: "tokens", value: "9007199254740" },
  ]);
});

test("nothing added is no amount, and nothing spent is zero", () => {
  const tally = createTally();
  expect(tally.totals()).toEqual([]);
  tally.add({ unit: "EUR", value: "0" });
  expect(tally.totals()).toEqual([{ unit: "EUR", value: "0" }]);
});

for (const value of ["-1", "1e3", "0.1234567", "", "NaN", "1,5", "01"]) {
  test(`${JSON.stringify(value)} is no amount`, () => {
    expect(() => createTally().add({ unit: "EUR", value })).toThrow(RangeError);
  });
}
