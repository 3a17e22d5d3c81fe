import { describe, expect, it } from "vitest";
import { outcomeIn, outcomeOf, resultIn, resultOf } from "../../test/conditions.ts";
import { policyText, problemsOf, toolText } from "../../test/sample.ts";
import type { JsonObject } from "../index.ts";

const item: JsonObject = { type: "object", properties: { qty: { type: "integer" }, price: { type: "number" } } };
const schema: JsonObject = {
  type: "object",
  properties: {
    qty: { type: "integer" },
    price: { type: "number" },
    maybe: { type: ["integer", "null"] },
    any: {},
    item,
    items: { type: "array", items: item },
    counts: { type: "object", additionalProperties: { type: "integer" } },
    list: { type: "array", items: { type: "integer" } },
    numbers: { type: "array", items: { type: "number" } },
  },
};
const input: JsonObject = {
  qty: 3,
  price: 3,
  maybe: 5,
  any: 3,
  item: { qty: 7, price: 7 },
  items: [
    { qty: 1, price: 1.5 },
    { qty: 7, price: 7 },
  ],
  counts: { a: 3 },
  list: [1, 2, 7],
  numbers: [1, 2, 7],
};
const of = (text: string, more: JsonObject = {}) => resultIn(schema, text, { input: { ...input, ...more } });

describe("a number that its schema calls an integer", () => {
  it.each([
    ["input.qty", 3n],
    ["input.qty + 1", 4n],
    ["input.qty * input.maybe - 1", 14n],
    ["input.qty / 2", 1n],
    ["-input.qty / 2", -1n],
    ["input.qty % 2", 1n],
    ["double(input.qty) / 2", 1.5],
    ["input.qty / 2.0", 1.5],
    ["type(input.qty) == int", true],
    ["input.item.qty / 2", 3n],
    ['input["qty"] / 2', 1n],
    ['input.counts["a"] / 2', 1n],
    ["input.counts.zz", "unknown: input.counts.zz is missing"],
    ["input.counts.all(key, input.counts[key] / 2 == 1)", true],
    ["input.list[2] / 2", 3n],
    ["input.list[size(input.list) - 1] / 2", 3n],
    ["input.list.map(x, x / 2)", [0n, 1n, 3n]],
    ["input.list.filter(x, x / 2 == 3)[0] / 2", 3n],
    ["input.items.filter(i, i.price > 2)[0].qty / 2", 3n],
    ["input.items.map(i, i)[1].qty / 2", 3n],
    ["dyn(input.item).qty / 2", 3n],
    ["dyn(input.qty) / 2", 1n],
    ["[input.item][0].qty / 2", 3n],
    ['{"a": input.item}.a.qty / 2', 3n],
    ["(input.qty == 3 ? input.item : input.items[0]).qty / 2", 3n],
    ["(input.list + input.list)[5] / 2", 3n],
  ])("%s is %s: it is an int wherever it goes", (text, expected) => expect(of(text)).toEqual(expected));

  it.each([
    [{ qty: 1.5 }, "unknown: input.qty is not an int"],
    [{ qty: 2 ** 53 }, "unknown: input.qty is not an int"],
    [{ qty: "3" }, "unknown: input.qty is not an int"],
    [{ qty: null }, "unknown: input.qty is not an int"],
  ])("is unknown when it is %j after all", (more, expected) => {
    expect(of("input.qty > 1", more)).toBe(expected);
    expect(of("input.qty", more)).toBe(expected);
  });

  it.each([
    ["input.qty * 3074457345618258603", "unknown: an int overflowed"],
    ["input.qty * 3074457345618258602 > 0", true],
    ["input.qty / 0", "unknown: a division by zero"],
    ["input.maybe == null", false],
  ])("%s is %s: 64 bits, and nothing goes round", (text, expected) => expect(of(text)).toBe(expected));
});

describe("any other number", () => {
  it.each([
    ["input.price / 2", 1.5],
    ["input.any / 2", 1.5],
    ["type(input.price) == double", true],
    ["input.item.price / 2", 3.5],
    ["input.numbers.map(x, x / 2)", [0.5, 1, 3.5]],
    ["input.items[1].price / 2", 3.5],
    ["input.price + 1", 4],
    ["input.price % 2", 1],
  ])("%s is %s: a double", (text, expected) => expect(of(text)).toEqual(expected));
});

describe("ints and doubles together", () => {
  it.each([
    ["input.qty + input.price", 6],
    ["input.qty == input.price", true],
    ["input.qty < 3.5", true],
    ["9007199254740993 == 9007199254740992.0", false],
    ["9007199254740993 > 9007199254740992.0", true],
    ["9007199254740993 in [9007199254740992.0]", false],
    ["9007199254740992 + 0.5", 9007199254740992],
    ["9007199254740993 + 0.5", "unknown: an int that no double holds exactly"],
    ["input.list == input.numbers", true],
    ["7 in input.numbers", true],
    ["7.0 in input.list", true],
  ])("%s is %s: compared exactly, computed as doubles", (text, expected) => expect(of(text)).toBe(expected));
});

describe("a rule for several tools", () => {
  const whole: JsonObject = { type: "object", properties: { qty: { type: "integer" }, deep: item } };
  const real: JsonObject = { type: "object", properties: { qty: { type: "number" }, deep: { type: "object" } } };
  const facts = { input: { qty: 3, deep: { qty: 3 } } };

  it.each(["input.qty / 2", "input.deep.qty / 2", "[input.deep][0].qty / 2", "vars.half"])(
    "counts %s as the called tool does",
    (text) => {
      const variables = { half: "input.qty / 2" };
      expect(outcomeIn([whole, real], text, facts, variables)).toBe(1n);
      expect(outcomeIn([real, whole], text, facts, variables)).toBe(1.5);
      expect(outcomeIn([{}, whole], text, facts, variables)).toBe(1.5);
    },
  );

  it("is no error while one of them permits it", () => {
    expect(
      outcomeIn([whole, { properties: { qty: { type: "string" } } }], 'input.qty == 3 || input.qty == "x"', facts),
    ).toBe(true);
  });
});

describe("a division of ints", () => {
  const complaints = (when: string) =>
    problemsOf(
      [
        toolText("pay", { inputSchema: schema }),
        policyText([{ id: "r", match: { tools: ["pay"] }, effect: "allow", when }]),
      ].join("\n---\n"),
    );

  it("is warned of, with what makes it exact", () => {
    const [problem, ...others] = complaints("input.qty / 2 > 1");
    expect(others).toEqual([]);
    expect(problem).toContain("warning: a division of ints drops the remainder");
    expect(problem).toContain("expected: double(input.qty) / 2, or int(input.qty) / 2 if that is meant");
    expect(complaints("session.calls / 2 > 1")[0]).toContain("warning: a division of ints");
  });

  it.each([
    "double(input.qty) / 2 > 1.0",
    "int(input.qty) / 2 > 1",
    "input.price / 2 > 1",
    "7 / 2 > 1",
    "input.qty / 2.0 > 1",
  ])("%s is not", (when) => expect(complaints(when)).toEqual([]));
});

describe("a condition that nothing is registered for", () => {
  it("counts JSON's numbers as doubles", () => {
    expect(resultOf("input.qty / 2", { input: { qty: 3 } })).toBe(1.5);
    expect(outcomeOf("input.qty + 1", { input: { qty: 3 } })).toBe(4);
  });
});
