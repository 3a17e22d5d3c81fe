import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../json.ts";
import { compileSchema, schemaProblem } from "./schema.ts";
import { contradiction } from "./schema-path.ts";

const check = (schema: JsonObject, value: JsonValue) => {
  const wrong = compileSchema(schema, "input")(value);
  return wrong && `${wrong.path} ${wrong.message}`;
};

describe("a schema check", () => {
  const schema: JsonObject = {
    type: "object",
    properties: {
      amount: { type: "number", minimum: 0 },
      to: { type: "array", items: { type: "string", pattern: "^[a-z]+$" }, uniqueItems: true },
      kind: { enum: ["a", "b"] },
      deep: { type: "object", required: ["x"] },
    },
    required: ["amount"],
    additionalProperties: false,
  };

  it.each([
    [{ amount: 1, to: ["a", "b"] }, undefined],
    [{}, "input.amount is missing"],
    [{ amount: "1" }, "input.amount must be number"],
    [{ amount: -1 }, "input.amount must be >= 0"],
    [{ amount: 1, memo: "x" }, "input.memo is not a known property"],
    [{ amount: 1, to: ["a", "B"] }, 'input.to.1 must match pattern "^[a-z]+$"'],
    [{ amount: 1, to: ["a", "a"] }, "input.to must not have equal items"],
    [{ amount: 1, kind: "c" }, 'input.kind must be one of "a", "b"'],
    [{ amount: 1, deep: {} }, "input.deep.x is missing"],
  ] as [JsonObject, string | undefined][])("of %j says %s", (value, message) =>
    expect(check(schema, value)).toBe(message),
  );

  it("tells equal items by their value, whatever the order of their keys", () => {
    const unique = { type: "array", uniqueItems: true };
    expect(
      check(unique, [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ]),
    ).toBe("input must not have equal items");
    expect(check(unique, [{ a: 1 }, { a: "1" }, [1], 1, "1", null])).toBeUndefined();
  });

  it("does not take inherited names for properties", () => {
    expect(check({ type: "object", required: ["toString"] }, {})).toBe("input.toString is missing");
    expect(check({ type: "object", additionalProperties: false }, JSON.parse('{"__proto__": 1}'))).toBe(
      "input.__proto__ is not a known property",
    );
  });

  it("keeps patterns apart and runs them in linear time", () => {
    const twice = { properties: { a: { pattern: "^x+$" }, b: { pattern: "^(y+y+)+z$" } } };
    expect(check(twice, { a: "xx" })).toBeUndefined();
    expect(check(twice, { a: "y" })).toContain("input.a must match");
    expect(check(twice, { a: "x", b: "y".repeat(50_000) })).toContain("input.b must match");
  });

  it("compiles schemas that share an id", () => {
    const one = { $id: "https://example.com/a", type: "string" };
    expect([check(one, "x"), check({ ...one, type: "number" }, 1), check(one, "x")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("a problem of a schema", () => {
  it.each([
    [{ type: "object" }, undefined],
    [{ properties: { pattern: { type: "string" } } }, undefined],
    [{ format: "email" }, undefined],
    [{ properties: { a: { pattern: "(" } } }, "/properties/a/pattern"],
    [{ patternProperties: { "(?=x)": {} } }, ""],
    [{ type: "strng" }, ""],
    [{ minimun: 1 }, ""],
    [{ $ref: "#/$defs/none" }, ""],
  ] as [JsonObject, string | undefined][])("of %j stands at %s", (schema, pointer) => {
    expect(schemaProblem(schema)?.pointer).toBe(pointer);
  });

  it("is being too deep", () => {
    let deep: JsonObject = {};
    for (let level = 0; level < 40; level++) deep = { not: deep };
    expect(schemaProblem(deep)?.message).toBe("a schema deeper than 32 levels");
  });
});

describe("a path against a schema", () => {
  const closed: JsonObject = {
    type: "object",
    properties: {
      a: { type: "string" },
      b: { type: "object", properties: { c: {} } },
      d: { $ref: "#/$defs/x" },
      e: true,
    },
    additionalProperties: false,
  };

  it.each([
    [["a"], undefined],
    [["b", "c"], undefined],
    [["b", "any"], undefined],
    [["d", "any"], undefined],
    [["e", "any"], undefined],
    [["x"], 0],
    [["constructor"], 0],
    [["a", "x"], 1],
  ])("%j leaves it at %s", (keys, at) => expect(contradiction(closed, keys)?.at).toBe(at));

  it("is free in schemas that are open", () => {
    expect(contradiction({ properties: { a: {} } }, ["x"])).toBeUndefined();
    expect(contradiction({ anyOf: [closed, { properties: { a: {} } }] }, ["x"])).toBeUndefined();
    expect(contradiction({ ...closed, patternProperties: { "^x": {} } }, ["x"])).toBeUndefined();
  });
});

describe("the work of a schema check", () => {
  const chain = Object.fromEntries(
    Array.from({ length: 30 }, (_, at) => {
      const next = { $ref: `#/$defs/d${at + 1}` };
      return [`d${at}`, { allOf: [next, next] }];
    }),
  );
  const numbers = Array.from({ length: 120_000 }, () => 1);
  const tooMuch = "takes more than 150000 steps to check";

  it.each([
    ["parts that double at each level", { $ref: "#/$defs/d0", $defs: { ...chain, d30: { type: "object" } } }, {}],
    ["a part that is itself", { properties: { a: { $ref: "#/properties/a" } } }, { a: 1 }],
    [
      "many items tried in many ways",
      { items: { anyOf: [..."abcdefgh", 1].map((value) => ({ const: value })) } },
      numbers,
    ],
    ["patterns of many states", { pattern: "^(a|b)*a(a|b){400}$" }, "ab".repeat(125_000)],
    [
      "many patterns for many keys",
      { patternProperties: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`^k${at}(a|b)*$`, {}])) },
      Object.fromEntries(numbers.slice(0, 20_000).map((_, at) => [`k${at}`, 1])),
    ],
    ["items compared", { uniqueItems: true }, numbers.slice(0, 9000).map((_, at) => ({ at, deep: [at, [at]] }))],
    [
      "characters counted again and again",
      { anyOf: Array.from({ length: 500 }, (_, at) => ({ maxLength: 130_000 + at, minLength: 130_001 + at })) },
      "a".repeat(250_000),
    ],
  ] as [string, JsonObject, JsonValue][])("is bounded for %s", (_, schema, value) => {
    expect(schemaProblem(schema)).toBeUndefined();
    expect(check(schema, value)).toBe(`input ${tooMuch}`);
  });

  it.each([
    ["a long list", { items: { type: "number" } }, numbers],
    [
      "many objects",
      { items: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } },
      numbers.slice(0, 30_000).map((a) => ({ a })),
    ],
    ["long lists of values", { items: { enum: Array.from({ length: 20_000 }, (_, at) => at - 19_998) } }, numbers],
    ["a long text", { maxLength: 300_000, pattern: "^(x|y)+$" }, "x".repeat(250_000)],
  ] as [string, JsonObject, JsonValue][])("is enough for %s", (_, schema, value) => {
    expect(check(schema, value)).toBeUndefined();
  });

  it("counts the characters of a text, not its units", () => {
    expect(check({ maxLength: 3 }, "\u{1F600}".repeat(3))).toBeUndefined();
    expect(check({ maxLength: 3 }, "\u{1F600}".repeat(4))).toBe("input must NOT have more than 3 characters");
    expect(check({ minLength: 4 }, "\u{1F600}".repeat(3))).toBe("input must NOT have fewer than 4 characters");
    expect(check({ minLength: 3 }, "\u{1F600}".repeat(3))).toBeUndefined();
  });

  it("is known of every part that can be reached", () => {
    const problem = (schema: JsonObject) => schemaProblem(schema)?.message;
    expect(problem({ $ref: "#/enum/0", enum: [{ type: "string" }] })).toContain("does not lead to a schema");
    expect(problem({ $ref: "https://example.com/x", const: { $id: "https://example.com/x" } })).toContain(
      "does not lead to a schema",
    );
    expect(problem({ $work: { visit: 0 } })).toContain("unknown keyword");
  });
});
