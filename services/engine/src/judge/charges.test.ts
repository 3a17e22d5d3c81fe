import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileTexts, policyText, problemsOf, sampleFacts, toolText } from "../../test/sample.ts";
import { costOf, estimateFor, evaluate, explain, type JsonObject, toleranceOf } from "../index.ts";

const eur = (value: string) => ({ unit: "EUR", value });
const tokens = { unit: "tokens", value: "1000" };
const computed = (expression: string, unit = "EUR") => ({ unit, expression });

const order = {
  type: "object",
  additionalProperties: false,
  properties: { price: { type: "string", maxLength: 20 }, quantity: { type: "integer" }, note: {} },
};
const compiled = compileTexts(
  toolText("pay", { cost: [eur("0.25"), tokens] }),
  toolText("mail"),
  toolText("look", { cost: "none" }),
  toolText("bound", { maximum: [eur("50")] }),
  toolText("buy", {
    inputSchema: order,
    cost: [computed('amount(input.price, "EUR") * input.quantity'), computed("input.quantity", "tokens")],
    maximum: [eur("100"), { unit: "USD", value: "7" }],
  }),
);
const cost = (tool: string, input: JsonObject = {}) => {
  const costs = costOf(compiled, tool, input);
  if (costs === "none") return costs;
  if ("problem" in costs) return costs.problem.detail;
  return Object.fromEntries(costs.map(({ unit, micros }) => [unit, Number(micros) / 1e6]));
};

describe("what a call is expected to cost", () => {
  it("is what its tool costs where its caller says nothing, or less", () => {
    expect(estimateFor(compiled, "pay", {}, [])).toEqual([eur("0.25"), tokens]);
    expect(estimateFor(compiled, "pay", {}, [eur("0.2")])).toEqual([eur("0.25"), tokens]);
    expect(estimateFor(compiled, "mail", {}, [])).toEqual([]);
    expect(estimateFor(compiled, "unknown", {}, [])).toEqual([]);
  });

  it("is what its caller says where that is more", () => {
    expect(estimateFor(compiled, "pay", {}, [eur("3")])).toEqual([eur("3"), tokens]);
    const whole = [eur("3"), { unit: "tokens", value: "1000" }];
    expect(estimateFor(compiled, "pay", {}, whole)).toBe(whole);
  });

  it("is computed from the input, and left out where that cannot be done", () => {
    expect(estimateFor(compiled, "buy", { price: "2.50", quantity: 4 }, [])).toEqual([
      eur("10"),
      { unit: "tokens", value: "4" },
    ]);
    expect(estimateFor(compiled, "buy", { price: "x", quantity: 4 }, [eur("1")])).toEqual([
      { unit: "tokens", value: "4" },
    ]);
  });
});

describe("what a call costs by its tool", () => {
  it("is what the document says, computed where it is an expression", () => {
    expect(cost("pay")).toEqual({ EUR: 0.25, tokens: 1000 });
    expect(cost("buy", { price: "2.50", quantity: 4 })).toEqual({ EUR: 10, tokens: 4 });
  });

  it("is known to be nothing only where the document says so", () => {
    expect(cost("look")).toBe("none");
    for (const tool of ["mail", "bound", "unknown"]) expect(cost(tool)).toEqual({});
  });

  it.each<[string, JsonObject, string]>([
    ["missing", { quantity: 1 }, "cost in EUR: input.price is missing"],
    ["null", { price: null, quantity: 1 }, "cost in EUR: input.price is not a string"],
    ["over-precise", { price: "0.0000001", quantity: 1 }, "cost in EUR: not an exact amount"],
    ["negative", { price: "1", quantity: -1 }, "cost in EUR: a negative amount"],
    ["too large", { price: "2000000000000", quantity: 2 }, "cost in EUR: an amount out of range"],
    ["far too large", { price: "2000000000000", quantity: 9_007_199_254_740_991 }, "an amount out of range"],
    ["not whole", { price: "1", quantity: 1.5 }, "cost in EUR: input.quantity is not an int"],
    ["like no number", { price: "NaN", quantity: 1 }, "cost in EUR: not an exact amount"],
  ])("is never nothing where its cost is %s: the call is denied, whatever its caller estimates", (_, input, detail) => {
    expect(cost("buy", input)).toContain(detail);
    const { quantity } = input;
    if (input.price === null || typeof quantity !== "number" || !Number.isInteger(quantity)) return;
    const facts = sampleFacts({ tool: "buy", input, estimate: [eur("5")] });
    expect(evaluate(compiled, facts)).toMatchObject({ effect: "deny", code: "input_invalid" });
    const check = explain(compiled, facts).checks.find(({ name }) => name === "estimate");
    expect(check).toMatchObject({ outcome: "refused", detail: expect.stringContaining(detail) });
  });

  it("is exact, and what a call is expected to cost is never less than it or than what its caller says", () => {
    const said = fc.uniqueArray(
      fc.record({
        unit: fc.constantFrom("EUR", "tokens", "USD"),
        value: fc.nat(10_000).map((cents) => (cents / 100).toFixed(2)),
      }),
      { selector: ({ unit }) => unit },
    );
    fc.assert(
      fc.property(fc.nat(10_000), fc.nat(100), said, (cents, quantity, estimate) => {
        const input = { price: (cents / 100).toFixed(2), quantity };
        expect(costOf(compiled, "buy", input)).toEqual([
          { unit: "EUR", micros: BigInt(cents * quantity) * 10_000n },
          { unit: "tokens", micros: BigInt(quantity) * 1_000_000n },
        ]);
        const expected = estimateFor(compiled, "buy", input, estimate);
        const of = (amounts: readonly { unit: string; value: string }[], unit: string) =>
          Math.round(Number(amounts.find((one) => one.unit === unit)?.value ?? 0) * 100);
        expect(of(expected, "EUR")).toBe(Math.max(cents * quantity, of(estimate, "EUR")));
        expect(of(expected, "tokens")).toBe(Math.max(quantity * 100, of(estimate, "tokens")));
        expect(of(expected, "USD")).toBe(of(estimate, "USD"));
        expect(new Set(expected.map(({ unit }) => unit)).size).toBe(expected.length);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a computed cost", () => {
  const allow = { id: "buy", match: { tools: ["buy"] }, effect: "allow" };
  const cap = { id: "cap", match: { tools: ["buy"] }, effect: "transform" };
  const costly = {
    ...{ id: "costly", match: { tools: ["buy"] }, effect: "escalate", when: 'call.estimate.EUR > amount("20", "EUR")' },
    approval: { approvers: ["mia"], quorum: 1, expires: "1h" },
  };
  const buy = toolText("buy", {
    inputSchema: order,
    cost: [computed('amount(input.price, "EUR") * input.quantity')],
    maximum: [eur("100")],
  });
  const verdictOn = (rules: JsonObject[], input: JsonObject) => {
    const policies = compileTexts(buy, policyText(rules));
    const estimate = estimateFor(policies, "buy", input, []);
    return evaluate(policies, sampleFacts({ tool: "buy", input, estimate }));
  };

  it("is what conditions read, and keeps to the maximum", () => {
    const rules = [allow, costly];
    expect(verdictOn(rules, { price: "5", quantity: 4 }).effect).toBe("allow");
    expect(verdictOn(rules, { price: "5", quantity: 5 }).effect).toBe("escalate");
    expect(verdictOn(rules, { price: "51", quantity: 2 })).toMatchObject({
      ...{ effect: "deny", code: "input_invalid", detail: "at most 100 EUR" },
    });
  });

  it("of a changed input is what the rules after it see, and may not be unknown or too much", () => {
    const more = [allow, costly, { ...cap, set: { quantity: 10 } }];
    expect(verdictOn(more, { price: "5", quantity: 1 }).effect).toBe("escalate");
    const tooMuch = verdictOn([allow, { ...cap, set: { quantity: 90 } }], { price: "5", quantity: 1 });
    expect(tooMuch).toMatchObject({ effect: "deny", code: "transform_invalid" });
    expect(tooMuch.detail).toContain("450 EUR is more than one call may cost");
    const unknown = verdictOn([allow, { ...cap, set: { price: "free" } }], { price: "5", quantity: 1 });
    expect(unknown).toMatchObject({ effect: "deny", code: "transform_invalid" });
    expect(unknown.detail).toContain("not an exact amount");
  });

  it.each<[string, JsonObject, readonly string[]]>([
    ["reads what is not its input", computed("session.depth"), ["a cost cannot read `session`", "the input alone"]],
    ["reads a budget", computed("budget.travel.remaining"), ["a cost cannot read `budget`"]],
    ["is a text", computed("input.price"), ["a cost that is a string", 'amount(input.amount, "EUR")']],
    ["is of another unit", computed('amount("1", "USD")'), ["an amount of USD where EUR is meant"]],
    ["is always negative", computed("-1"), ["a negative amount"]],
    ["reads what its input cannot have", computed("amount(input.prise)"), ["input.prise", "did you mean: price"]],
    ["is no expression", computed("amount(input.price"), ["not a valid condition"]],
    ["says two things", { ...computed("1"), value: "1" }, ["a cost that says two things", "exactly one of value"]],
    ["says nothing", { unit: "EUR" }, ["a cost that says nothing"]],
    ["takes too long", computed("size(input.note) > 0 ? 1 : 2"), []],
  ])("that %s is refused at its place", (_, cost, parts) => {
    const text = toolText("buy", { inputSchema: order, cost: [cost] });
    const problems = problemsOf(text);
    for (const part of parts) expect(problems.join("\n")).toContain(part);
    expect(problems).toHaveLength(parts.length === 0 ? 0 : 1);
  });

  it("may go through a list with names of its own, bounded in its steps", () => {
    const items = (maxItems: number) => ({
      type: "object",
      properties: {
        items: {
          type: "array",
          maxItems,
          items: { type: "object", properties: { cost: { type: "string", maxLength: 40 } } },
        },
      },
    });
    const text = (maxItems: number, expression: string) =>
      toolText("buy", { inputSchema: items(maxItems), cost: [computed(expression)] });
    expect(problemsOf(text(10, 'input.items.exists(session, session.cost == "1") ? 1 : 2'))).toEqual([]);
    const nested = "input.items.exists(a, input.items.exists(b, a.cost == b.cost)) ? 1 : 2";
    expect(problemsOf(text(5000, nested)).join("\n")).toMatch(/more than the 100000 of an evaluation/);
  });
});

describe("what is tolerated beyond a hold", () => {
  const tolerant = (tolerance: unknown) => compileTexts(toolText("pay", { tolerance } as JsonObject));

  it("is a share of it, an amount in its unit, or anything", () => {
    expect(toleranceOf(tolerant("10%"), "pay", "EUR", 1_999_999n)).toBe(199_999n);
    expect(toleranceOf(tolerant("2.5%"), "pay", "EUR", 4_000_000n)).toBe(100_000n);
    expect(toleranceOf(tolerant("0%"), "pay", "EUR", 4_000_000n)).toBe(0n);
    expect(toleranceOf(tolerant([eur("0.5")]), "pay", "EUR", 1n)).toBe(500_000n);
    expect(toleranceOf(tolerant([eur("0.5")]), "pay", "tokens", 1n)).toBeUndefined();
    expect(toleranceOf(compiled, "pay", "EUR", 1n)).toBeUndefined();
  });

  it.each(["10", "-1%", "1e2%", "10 %", "12345%", "1.234%"])("of %j is refused", (tolerance) => {
    expect(problemsOf(toolText("pay", { tolerance }))[0]).toContain("a share such as 10% or 2.5%");
  });
});
