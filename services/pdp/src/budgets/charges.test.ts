import fc from "fast-check";
import { expect, test } from "vitest";
import { duesOf, priceIn, type Quote } from "./charges.ts";
import type { Cover } from "./covering.ts";

const eur = (micros: bigint) => ({ unit: "EUR", micros });
const quote = (more: Partial<Quote> = {}): Quote => ({ cost: [], estimate: [], maximum: [], ...more });
const cover = (more: Partial<Cover> = {}): Cover => ({ budget: "b", key: "", unit: "EUR", hard: true, ...more });
const dues = (covers: readonly Cover[], quoted: Quote, unbudgeted: "allow" | "deny" = "deny") => {
  const found = duesOf(covers, quoted, unbudgeted);
  return "dues" in found ? found.dues.map(({ budget, micros }) => [budget, micros]) : found;
};

test.each<[string, Quote, bigint | undefined]>([
  ["the cost where the caller says nothing", quote({ cost: [eur(5n)] }), 5n],
  ["the estimate where the tool says nothing", quote({ estimate: [eur(5n)] }), 5n],
  ["the greater of both", quote({ cost: [eur(5n)], estimate: [eur(7n)] }), 7n],
  ["the cost under a smaller estimate", quote({ cost: [eur(5n)], estimate: [eur(0n)] }), 5n],
  ["the maximum where nobody says anything", quote({ maximum: [eur(9n)] }), 9n],
  ["no more than the estimate beside a maximum", quote({ estimate: [eur(2n)], maximum: [eur(9n)] }), 2n],
  ["nothing where it costs nothing", quote({ cost: "none" }), 0n],
  ["the estimate even so", quote({ cost: "none", estimate: [eur(4n)] }), 4n],
  ["nobody knows", quote({ estimate: [{ unit: "USD", micros: 1n }] }), undefined],
])("what is held is %s", (_what, quoted, expected) => {
  expect(priceIn("EUR", quoted)).toBe(expected);
});

test("a call is one call, whatever anybody says", () => {
  expect(priceIn("calls", quote({ cost: "none" }))).toBe(1_000_000n);
  expect(priceIn("calls", quote({ estimate: [{ unit: "calls", micros: 0n }] }))).toBe(1_000_000n);
});

test("every budget that covers a call is owed, each in its unit", () => {
  const covers = [cover({ budget: "run" }), cover({ budget: "count", unit: "calls" }), cover({ budget: "all" })];
  expect(dues(covers, quote({ cost: [eur(5n)] }))).toEqual([
    ["run", 5n],
    ["count", 1_000_000n],
    ["all", 5n],
  ]);
});

test("a hard budget in a unit that nobody prices refuses; a soft one keeps its account for what is reported", () => {
  expect(dues([cover()], quote())).toEqual({ code: "estimate_missing", budget: "b", unit: "EUR" });
  expect(dues([cover({ hard: false })], quote())).toEqual([["b", 0n]]);
});

test("a tool that costs nothing owes no account but for its calls", () => {
  expect(dues([cover(), cover({ budget: "count", unit: "calls" })], quote({ cost: "none" }))).toEqual([
    ["count", 1_000_000n],
  ]);
});

test("an estimate of zero has an account to answer for", () => {
  expect(dues([cover()], quote({ estimate: [eur(0n)] }))).toEqual([["b", 0n]]);
  expect(dues([cover()], quote({ cost: "none", estimate: [eur(0n)] }))).toEqual([["b", 0n]]);
});

test("what no budget covers may not be spent, unless the tenant lets it", () => {
  const quoted = quote({ estimate: [eur(5n), { unit: "tokens", micros: 7n }] });
  expect(dues([cover()], quoted)).toEqual({ code: "no_budget", unit: "tokens", micros: 7n });
  expect(dues([cover()], quoted, "allow")).toEqual([["b", 5n]]);
  expect(dues([], quote({ maximum: [eur(5n)] }))).toEqual({ code: "no_budget", unit: "EUR", micros: 5n });
  expect(dues([], quote({ estimate: [eur(0n), { unit: "calls", micros: 9n }] }))).toEqual([]);
});

test("a missing estimate is said before a missing budget", () => {
  expect(dues([cover()], quote({ estimate: [{ unit: "USD", micros: 1n }] }))).toMatchObject({
    code: "estimate_missing",
  });
});

const amounts = fc.uniqueArray(
  fc.record({ unit: fc.constantFrom("EUR", "USD", "tokens"), micros: fc.bigInt(0n, 2n ** 61n) }),
  { selector: ({ unit }) => unit },
);
const quotes: fc.Arbitrary<Quote> = fc.record({
  cost: fc.oneof(fc.constant("none" as const), amounts),
  estimate: amounts,
  maximum: amounts,
});
const covers = fc.array(
  fc.record({
    budget: fc.string({ maxLength: 2 }),
    key: fc.constant(""),
    unit: fc.constantFrom("EUR", "USD", "tokens", "calls"),
    hard: fc.boolean(),
  }),
);

test("no caller lowers what is held by saying more, and every hard budget is owed or refuses", () => {
  fc.assert(
    fc.property(covers, quotes, (some, quoted) => {
      const found = duesOf(some, quoted, "allow");
      const silent = { ...quoted, estimate: [] };
      for (const { unit, hard } of some.filter((one) => one.unit !== "calls")) {
        const [said, unsaid] = [priceIn(unit, quoted), priceIn(unit, silent)];
        const costs = quoted.cost === "none" ? undefined : quoted.cost.find((amount) => amount.unit === unit);
        if (costs) expect(said).toBeGreaterThanOrEqual(unsaid ?? 0n);
        if (hard && said === undefined) expect(found).toMatchObject({ code: "estimate_missing" });
      }
      if (!("dues" in found)) return;
      for (const one of some) {
        const owed = found.dues.filter((due) => due.budget === one.budget && due.unit === one.unit);
        if ((priceIn(one.unit, quoted) ?? 0n) > 0n) expect(owed.length).toBeGreaterThan(0);
        for (const { micros } of owed) expect(micros).toBeGreaterThanOrEqual(0n);
      }
    }),
  );
});
