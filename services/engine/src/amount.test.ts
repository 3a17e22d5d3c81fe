import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstAbove, microsOf } from "./amount.ts";

describe("amounts", () => {
  it("are exact millionths", () => {
    expect(["0", "1", "12.50", "0.000001", "2305843009213.693952"].map(microsOf)).toEqual([
      0n,
      1_000_000n,
      12_500_000n,
      1n,
      2n ** 61n,
    ]);
  });

  it.each(["", "-1", "+1", ".5", "1.", "01", "1e3", "NaN", "1,5", "0.0000001", "2305843009213.693953", "9".repeat(14)])(
    "are not written %j",
    (text) => {
      expect(microsOf(text)).toBeUndefined();
    },
  );

  it("are compared as numbers, however they are spelt", () => {
    const decimal = fc.tuple(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 99 }));
    const spelt = ([whole, cents]: [number, number]) => `${whole}.${String(cents).padStart(2, "0")}`;
    fc.assert(
      fc.property(decimal, decimal, (amount, bound) => {
        const above = firstAbove([{ unit: "EUR", value: spelt(amount) }], [{ unit: "EUR", value: spelt(bound) }]);
        expect(above !== undefined).toBe(amount[0] * 100 + amount[1] > bound[0] * 100 + bound[1]);
      }),
    );
  });

  it("of a unit without a bound are not bounded, and what is no amount is above every bound", () => {
    const bounds = [{ unit: "EUR", value: "5" }];
    expect(firstAbove([{ unit: "USD", value: "900" }], bounds)).toBeUndefined();
    expect(firstAbove([{ unit: "EUR", value: "many" }], bounds)).toEqual({ unit: "EUR", value: "many" });
  });
});
