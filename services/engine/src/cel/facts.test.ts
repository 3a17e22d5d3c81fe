import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complaintsOf, outcomeOf, resultOf } from "../../test/conditions.ts";
import { sampleFacts } from "../../test/sample.ts";

const estimate = [
  { unit: "EUR", value: "12.50" },
  { unit: "tokens", value: "4000" },
];
const known = (overrides: Parameters<typeof sampleFacts>[0]) => (text: string) =>
  resultOf(text, sampleFacts(overrides));

describe("call.estimate", () => {
  const ask = known({ estimate });

  it.each([
    ['call.estimate.EUR > amount("12.49", "EUR")', true],
    ['call.estimate["EUR"] + amount("0.50", "EUR") == amount("13", "EUR")', true],
    ['call.estimate.tokens <= amount(4000, "tokens")', true],
    ['"EUR" in call.estimate && !("USD" in call.estimate)', true],
    ["present(call.estimate.EUR) && has(call.estimate.tokens) && !present(call.estimate.USD)", true],
    ['call.estimate.all(unit, unit in ["EUR", "tokens"])', true],
    ["size(call.estimate) == 2", true],
    ['call.estimate.USD > amount("1", "USD")', "unknown: call.estimate.USD is missing"],
    ['call.estimate.EUR > amount("1", "USD")', "unknown: an ordering of EUR and USD"],
    ['call.estimate.EUR > amount("1")', "unknown: an ordering of EUR and an amount without a unit"],
    ["call.estimate.EUR > 12", "unknown: an ordering of an amount and an int"],
  ])("%s is %s", (text, expected) => expect(ask(text)).toBe(expected));

  it("is unknown where an amount of it is none", () => {
    for (const value of ["-1", "1e9", "", "12,50"]) {
      expect(known({ estimate: [{ unit: "EUR", value }] })("size(call.estimate) > 0")).toMatch(/^unknown/);
    }
  });
});

describe("facts that nobody supplies", () => {
  it.each([
    ["agent.score >= 500", "unknown: agent.score is missing"],
    ["session.calls < 100", "unknown: session.calls is missing"],
    ["budget.travel.used < 0.8", "unknown: budget.travel.used is missing"],
    ['budget["team-travel"].remaining > amount("1", "EUR")', 'unknown: budget["team-travel"].remaining is missing'],
    ["present(agent.score) || present(budget.travel.limit) || has(session.calls)", false],
  ])("make %s %s", (text, expected) => {
    const { calls: _, ...session } = sampleFacts().session;
    expect(resultOf(text, { session })).toBe(expected);
  });
});

describe("agent.score and session.calls", () => {
  it("are ints", () => {
    expect(known({ agent: { score: 612 } })("agent.score >= 600 && agent.score < 850")).toBe(true);
    expect(known({ agent: { score: 612.5 } })("agent.score >= 600")).toMatch(/^unknown/);
    expect(known({ agent: { score: Number.NaN } })("agent.score >= 600")).toMatch(/^unknown/);
    expect(known({ session: { calls: 7 } })("session.calls == 7 && has(session.calls)")).toBe(true);
    expect(complaintsOf('agent.score > "high"')).toEqual(["`>` between an int and a string"]);
  });
});

describe("budget", () => {
  const budget = {
    travel: { unit: "EUR", limit: "1000", spent: "600.10", remaining: "250" },
    "team-travel": { unit: "EUR", limit: "3", remaining: "1" },
    empty: { unit: "tokens", limit: "0", remaining: "0" },
    full: { unit: "tokens", limit: "7", remaining: "7" },
    odd: { unit: "EUR", limit: "lots", remaining: "-1" },
  };
  const ask = known({ budget });

  it.each([
    ['budget.travel.remaining >= amount("250", "EUR")', true],
    ['budget.travel.limit - budget.travel.spent == amount("399.90", "EUR")', true],
    ["budget.travel.used == 0.75", true],
    ['budget["team-travel"].used > 0.66 && budget["team-travel"].used < 0.67', true],
    ["budget.empty.used == 1.0 && budget.full.used == 0.0", true],
    ["has(budget.travel.limit) && !has(budget.empty.spent)", true],
    ['budget.travel.remaining > amount(input.amount, "EUR")', true],
    ["budget.travel.remaining > budget.full.remaining", "unknown: an ordering of EUR and tokens"],
    ['budget.odd.remaining > amount("0", "EUR")', "unknown: budget.odd.remaining is not an amount"],
    ["budget.odd.used < 1.0", "unknown: budget.odd.used is not a share"],
    ["present(budget.odd.used)", "unknown: budget.odd.used is not a share"],
    ['budget.constructor.remaining > amount("0", "EUR")', "unknown: budget.constructor.remaining is missing"],
  ])("%s is %s", (text, expected) => {
    expect(resultOf(text, sampleFacts({ budget, input: { amount: "249.99" } }))).toBe(expected);
  });

  it.each([
    ["budget.travel.remainig > budget.travel.limit", "unknown field `remainig` of a budget (remaining?)"],
    ["budget.travel > 5", "`budget.travel` is not a value by itself"],
    ["budget.team-travel.remaining > 5", "`budget.team` is not a value by itself"],
    ["size(budget) > 5", "`budget` is not a value by itself"],
    ["budget.travel.remaining > 5", "`>` between an amount and an int"],
    ["budgets.travel.used > 0.5", "unknown name `budgets` (budget?)"],
  ])("%s does not compile", (text, complaint) => expect(complaintsOf(text)).toContain(complaint));

  it("is used by the very share that its amounts make, as it would be written", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 10 ** 9 }),
        (thousandths, millionths) => {
          const remaining = String(BigInt(millionths) * BigInt(1000 - thousandths)).padStart(7, "0");
          const limit = String(BigInt(millionths) * 1000n).padStart(7, "0");
          const decimal = (digits: string) => `${digits.slice(0, -6)}.${digits.slice(-6)}`;
          const travel = { unit: "EUR", limit: decimal(limit), remaining: decimal(remaining) };
          expect(outcomeOf("budget.travel.used", sampleFacts({ budget: { travel } }))).toBe(thousandths / 1000);
        },
      ),
    );
    const travel = { unit: "EUR", limit: "2305843009213.693952", remaining: "2305843009213.693951" };
    expect(outcomeOf("budget.travel.used", sampleFacts({ budget: { travel } }))).toBe(2 ** -61);
  });

  it("gives way to a name that a macro binds", () => {
    expect(ask('[{"travel": {"used": 1}}].all(budget, budget.travel.used == 1)')).toBe(true);
    expect(outcomeOf("budget.full.used", sampleFacts({ budget }))).toBe(0);
  });
});
