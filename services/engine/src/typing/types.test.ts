import { describe, expect, it } from "vitest";
import { policyText, problemsOf, toolText } from "../../test/sample.ts";
import type { JsonObject } from "../index.ts";

const order: JsonObject = {
  type: "object",
  properties: {
    qty: { type: "integer" },
    price: { type: "number" },
    name: { type: "string", maxLength: 100 },
    memo: { type: ["string", "null"] },
    urgent: { type: "boolean" },
    country: { enum: ["DE", "FR"] },
    level: { type: "integer", enum: [1, 2, 3] },
    tags: { type: "array", items: { enum: ["new", "old"] } },
    to: { $ref: "#/$defs/address" },
    items: {
      type: "array",
      items: {
        type: "object",
        properties: {
          sku: { type: "string" },
          price: { type: "number" },
          parts: { type: "array", items: { $ref: "#/$defs/address" } },
        },
        additionalProperties: false,
      },
    },
    either: {
      anyOf: [
        { type: "string" },
        { type: "object", properties: { id: { type: "integer" } }, additionalProperties: false },
      ],
    },
    both: {
      allOf: [{ type: "object", properties: { a: { type: "number" } } }, { properties: { a: { type: "integer" } } }],
    },
  },
  $defs: {
    address: {
      type: "object",
      properties: { street: { type: "string" }, to: { $ref: "#/$defs/address" } },
      additionalProperties: false,
    },
  },
  additionalProperties: false,
};
const context: JsonObject = { type: "object", properties: { user: { type: "string" } }, additionalProperties: false };
const tool = toolText("order", { inputSchema: order, contextSchema: context });

const problems = (when: string, ...tools: string[]) =>
  problemsOf(
    [tool, ...tools, policyText([{ id: "r", match: { tools: ["order"] }, effect: "allow", when }])].join("\n---\n"),
  );

describe("a condition on an argument that the schema does not have", () => {
  it.each([
    ["input.qyt > 1", "input.qyt", "qty"],
    ['input["qyt"] > 1', "input.qyt", "qty"],
    ["has(input.qyt)", "input.qyt", "qty"],
    ["present(input.qyt)", "input.qyt", "qty"],
    ['"qyt" in input', "input.qyt", "qty"],
    ['input.to.stret == "x"', "input.to.stret", "street"],
    ['input.to.to.to.stret == "x"', "input.to.to.to.stret", "street"],
    ['input.items[0].skuu == "x"', "input.items[*].skuu", "sku"],
    ["input.items.all(i, i.prcie < 5)", "input.items[*].prcie", "price"],
    ["input.items.exists(i, i.parts.exists(p, p.stret == ''))", "input.items[*].parts[*].stret", "street"],
    ["input.items.filter(i, i.price < 5)[0].skuu == ''", "input.items[*].skuu", "sku"],
    ["input.items.map(i, i.skuu).size() > 0", "input.items[*].skuu", "sku"],
    ["(has(input.urgent) ? input.qyt : input.qty) > 1", "input.qyt", "qty"],
    ['context.usr == "mia"', "context.usr", "user"],
    ["input.either.id > 3 && input.either.idd > 3", "input.either.idd", "id"],
    ["input.name.first == ''", "input.name.first", ""],
    ["input.qty.value == 1", "input.qty.value", ""],
  ])("%s does not compile", (when, path, nearest) => {
    const [problem, ...others] = problems(when);
    expect(others).toEqual([]);
    expect(problem).toContain(`error: the ${path.split(".")[0]} of order has no \`${path}\``);
    if (nearest) expect(problem).toContain(`did you mean: ${nearest}`);
  });

  it("is shown at its place", () => {
    const text = [
      "apiVersion: remit/v1",
      "kind: Policy",
      "metadata: { name: p }",
      "spec:",
      "  rules:",
      "    - id: r",
      "      match: { tools: [order] }",
      "      effect: allow",
      "      when: input.qty > 1 && input.items.all(i, i.prcie < 5)",
    ].join("\n");
    expect(problemsOf(`${text}\n---\n${tool}`)[0]).toBe(
      [
        "test.yaml:9:51: error: the input of order has no `input.items[*].prcie`",
        "          when: input.qty > 1 && input.items.all(i, i.prcie < 5)",
        "                                                      ^",
        "  expected: input.items[*].sku, input.items[*].price, input.items[*].parts",
        "  did you mean: price",
      ].join("\n"),
    );
  });
});

describe("a condition that the schema contradicts", () => {
  it.each([
    ['input.qty == "3"', "`==` between an int and a string"],
    ["input.name > 5", "`>` between a string and an int"],
    ["input.name + 5 == ''", "`+` between a string and an int"],
    ['input.tags.startsWith("x")', "what `startsWith` takes cannot be a list"],
    ['"x" in input.qty', "what stands after `in` cannot be an int"],
    ["input.urgent > 1", "`>` between a bool and an int"],
    ["input.qty && true", "a side of `&&` cannot be an int"],
    ["input.qty", "a condition that is an int"],
    ["input.qty.all(x, true)", "what a macro runs over cannot be an int"],
    ['input.items.all(i, i.price == "5")', "`==` between a double and a string"],
    ["input.memo > 1", "`>` between null or a string and an int"],
    ['input.country == "DEE"', '`input.country` is never "DEE"'],
    ['"FRR" != input.country', '`input.country` is never "FRR"'],
    ['input.country in ["DE", "FRR"]', '`input.country` is never "FRR"'],
    ['input.country in ["DE", 5]', "`in` between a string and an int"],
    ["input.level == 4", "`input.level` is never 4"],
    ['input.tags.exists(t, t == "nwe")', '`t` is never "nwe"'],
    ['"nwe" in input.tags', '`input.tags[*]` is never "nwe"'],
    ["5 in input.tags", "`in` between an int and a string"],
    ["input.both.a.startsWith('x')", "what `startsWith` takes cannot be an int"],
  ])("%s does not compile", (when, message) => {
    const [problem, ...others] = problems(when);
    expect(others).toEqual([]);
    expect(problem).toContain("error: ");
    expect(problem).toContain(message);
  });

  it("names the nearest of the values there are", () => {
    expect(problems('input.country == "DEE"')[0]).toContain('did you mean: "DE"');
  });
});

describe("a condition that the schema permits", () => {
  it.each([
    "input.qty + 1 > 2",
    "input.qty == 3.5 || input.price == 3",
    'input.memo == "x" && input.memo != null',
    'input.country == "DE" && input.country in ["DE", "FR"]',
    "input.level == 2 && input.level == 2.0",
    'input.either == "x" || input.either.id == 1',
    "input.items.all(i, i.price < 5 && i.parts.all(p, p.street != ''))",
    'input.to.to.to.to.street == "x"',
    '"street" in input.to',
    'input.tags == ["new"]',
    "size(input.name) + size(input.tags) + size(input.to) > 3",
    "dyn(input.qty) == 'x'",
    "input.both.a % 2 == 0",
  ])("%s compiles", (when) => expect(problems(when)).toEqual([]));
});
