import fc from "fast-check";
import { expect, test } from "vitest";
import { duesOf, type Priced, pricedBy, type Quote } from "./charges.ts";
import type { Cover } from "./covering.ts";

const calls = { unit: "calls", micros: 1_000_000n };
const eur = (micros: bigint) => ({ unit: "EUR", micros });
const priced = (...amounts: Priced["amounts"]): Priced => ({ amounts: [calls, ...amounts], nothingElse: false });
const nothing: Priced = { amounts: [calls], nothingElse: true };
const cover = (more: Partial<Cover> = {}): Cover => ({ budget: "b", key: "", unit: "EUR", hard: true, ...more });
const dues = (covers: readonly Cover[], price: Priced, unbudgeted: "allow" | "deny" = "deny") => {
  const found = duesOf(covers, price, unbudgeted);
  return "dues" in found ? found.dues.map(({ budget, micros }) => [budget, micros]) : found;
};

const quote = (more: Partial<Quote> = {}): Quote => ({ cost: [], estimate: [], maximum: [], ...more });

test.each<[string, Quote, bigint | undefined]>([
  ["the cost where the caller says nothing", quote({ cost: [eur(5n)] }), 5n],
  ["the estimate where the tool says nothing", quote({ estimate: [eur(5n)] }), 5n],
  ["the greater of both", quote({ cost: [eur(5n)], estimate: [eur(7n)] }), 7n],
  ["the cost above a smaller estimate", quote({ cost: [eur(5n)], estimate: [eur(0n)] }), 5n],
  ["the maximum where nobody says anything", quote({ maximum: [eur(9n)] }), 9n],
  ["no more than the estimate beside a maximum", quote({ estimate: [eur(2n)], maximum: [eur(9n)] }), 2n],
  ["zero where somebody says so", quote({ estimate: [eur(0n)] }), 0n],
  ["the estimate where the tool costs nothing", quote({ cost: "none", estimate: [eur(4n)] }), 4n],
  ["what nobody knows", quote({ estimate: [{ unit: "USD", micros: 1n }] }), undefined],
])("a call is charged %s", (_what, quoted, expected) => {
  const { amounts, nothingElse } = pricedBy(quoted);
  expect(amounts.find(({ unit }) => unit === "EUR")?.micros).toBe(expected);
  expect(amounts[0]).toEqual(calls);
  expect(nothingElse).toBe(quoted.cost === "none");
});

test("a call is one call, whatever anybody says", () => {
  const zero = [{ unit: "calls", micros: 0n }];
  const many = [{ unit: "calls", micros: 9_000_000n }];
  expect(pricedBy(quote({ cost: many, estimate: zero, maximum: many })).amounts).toEqual([calls]);
});

test("every budget that covers a call is owed, each in its unit", () => {
  const covers = [cover({ budget: "run" }), cover({ budget: "count", unit: "calls" }), cover({ budget: "all" })];
  expect(dues(covers, priced(eur(5n)))).toEqual([
    ["run", 5n],
    ["count", 1_000_000n],
    ["all", 5n],
  ]);
});

test("a hard budget in a unit that nobody prices refuses; a soft one keeps its account for what is reported", () => {
  expect(dues([cover()], priced())).toEqual({ code: "estimate_missing", budget: "b", unit: "EUR" });
  expect(dues([cover({ hard: false })], priced())).toEqual([["b", 0n]]);
});

test("a tool that costs nothing owes no account but for its calls, and what it might cost all the same is known", () => {
  const all = [cover(), cover({ budget: "count", unit: "calls" }), cover({ budget: "soft", hard: false })];
  expect(duesOf(all, nothing, "deny")).toMatchObject({ spared: [{ budget: "b" }, { budget: "soft" }] });
  expect(duesOf(all, priced(eur(1n)), "deny")).toMatchObject({ spared: [] });
  expect(dues([cover(), cover({ budget: "count", unit: "calls" })], nothing)).toEqual([["count", 1_000_000n]]);
});

test("an estimate of zero has an account to answer for", () => {
  expect(dues([cover()], priced(eur(0n)))).toEqual([["b", 0n]]);
  expect(dues([cover()], { ...nothing, amounts: [calls, eur(0n)] })).toEqual([["b", 0n]]);
});

test("what no budget covers may not be spent, unless the tenant lets it; calls always may be made", () => {
  const price = priced(eur(5n), { unit: "tokens", micros: 7n });
  expect(dues([cover()], price)).toEqual({ code: "no_budget", unit: "tokens", micros: 7n });
  expect(dues([cover()], price, "allow")).toEqual([["b", 5n]]);
  expect(dues([], priced(eur(0n)))).toEqual([]);
});

test("a missing estimate is said before a missing budget", () => {
  expect(dues([cover()], priced({ unit: "USD", micros: 1n }))).toMatchObject({ code: "estimate_missing" });
});

const units = fc.constantFrom("EUR", "USD", "tokens");
const prices: fc.Arbitrary<Priced> = fc.record({
  amounts: fc
    .uniqueArray(fc.record({ unit: units, micros: fc.bigInt(0n, 2n ** 61n) }), { selector: ({ unit }) => unit })
    .map((amounts) => [calls, ...amounts]),
  nothingElse: fc.boolean(),
});
const covers = fc.array(
  fc.record({
    budget: fc.string({ maxLength: 2 }),
    key: fc.constant(""),
    unit: fc.oneof(units, fc.constant("calls")),
    hard: fc.boolean(),
  }),
);

test("all that covers a call is owed exactly what it is charged, in the covers' order, or nothing is", () => {
  fc.assert(
    fc.property(covers, prices, fc.constantFrom("allow" as const, "deny" as const), (some, price, unbudgeted) => {
      const found = duesOf(some, price, unbudgeted);
      const of = (unit: string) => price.amounts.find((amount) => amount.unit === unit)?.micros;
      const unknown = some.some(({ unit, hard }) => hard && of(unit) === undefined && !price.nothingElse);
      if (!("dues" in found)) {
        expect(found.code).toBe(unknown ? "estimate_missing" : "no_budget");
        return;
      }
      expect(unknown).toBe(false);
      const owed = some.filter(({ unit }) => of(unit) !== undefined || !price.nothingElse);
      expect(found.dues).toEqual(owed.map((one) => ({ ...one, micros: of(one.unit) ?? 0n })));
      expect(found.spared).toEqual(some.filter((one) => !owed.includes(one)));
    }),
  );
});
