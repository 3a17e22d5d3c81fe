import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outcomeIn } from "../../test/conditions.ts";
import { Failure } from "../cel/value.ts";
import { compileSchema, schemaProblem } from "../compile/schema.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { shapeOf } from "./schema-shape.ts";
import { jsonTypes, type Shape, union } from "./shape.ts";

const keys = fc.constantFrom("a", "b", "c");
const leaf: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, 0, 1, 2, 1.5, "x", "y"),
  fc.integer({ min: -3, max: 3 }),
);
const value: fc.Arbitrary<JsonValue> = fc.letrec<{ node: JsonValue }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", maxDepth: 3 },
    leaf,
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(keys, tie("node"), { maxKeys: 3 }).map((map) => ({ ...map })),
  ),
})).node;

const typeName = fc.constantFrom("null", "boolean", "integer", "number", "string", "array", "object");
const schema: fc.Arbitrary<JsonObject> = fc.letrec<{ node: JsonObject }>((tie) => {
  const some = (...required: string[]) => ({ requiredKeys: required as never[] });
  return {
    node: fc.oneof(
      { depthSize: "small", maxDepth: 3 },
      fc.record({ type: fc.oneof(typeName, fc.uniqueArray(typeName, { minLength: 1, maxLength: 4 })) }),
      fc.record({ enum: fc.array(leaf, { minLength: 1, maxLength: 3 }) }),
      fc.record({ const: leaf }),
      fc.constant({ type: "string", nullable: true }),
      fc.constant({ $ref: "#/$defs/x" }),
      fc.record(
        {
          type: fc.constant("object"),
          properties: fc.dictionary(keys, fc.oneof(tie("node"), fc.constant({}))),
          additionalProperties: fc.oneof(fc.boolean(), tie("node")),
          patternProperties: fc.constant({ "^c": { type: "integer" } }),
          maxProperties: fc.integer({ min: 0, max: 3 }),
        },
        some("properties"),
      ),
      fc.record(
        { type: fc.constant("array"), items: tie("node"), maxItems: fc.integer({ min: 0, max: 3 }) },
        some("items"),
      ),
      fc.record({ allOf: fc.array(tie("node"), { minLength: 1, maxLength: 2 }) }),
      fc.record({ anyOf: fc.array(tie("node"), { minLength: 1, maxLength: 3 }) }),
      fc.record({ oneOf: fc.array(tie("node"), { minLength: 1, maxLength: 2 }) }),
      fc.record({ not: tie("node") }),
    ),
  };
}).node;
const rooted = fc
  .tuple(schema, fc.option(schema, { freq: 1, nil: {} as JsonObject }), fc.dictionary(keys, schema, { maxKeys: 2 }))
  .map(([x, more, properties]) => ({
    type: "object",
    properties,
    ...(more.$ref === undefined ? { allOf: [more] } : {}),
    $defs: { x },
  }));

/** Why a shape does not permit a value that its schema accepts. */
function ruledOut(shape: Shape | undefined, at: JsonValue, path: string): string | undefined {
  if (!shape) return `${path} is there`;
  const { types, values, most } = shape;
  if (values && (typeof at !== "object" || at === null) && !values.includes(at)) return `${path} is ${at}`;
  const number = jsonTypes.int | jsonTypes.double;
  if (typeof at === "number")
    return types & (Number.isInteger(at) ? number : jsonTypes.double) ? undefined : `${path} is ${at}`;
  if (typeof at === "string") return types & jsonTypes.string ? undefined : `${path} is text`;
  if (typeof at === "boolean") return types & jsonTypes.bool ? undefined : `${path} is a bool`;
  if (at === null) return types & jsonTypes.null ? undefined : `${path} is null`;
  if (Array.isArray(at)) {
    if (!(types & jsonTypes.list) || at.length > (most.items ?? at.length)) return `${path} is a list of ${at.length}`;
    return first(at.map((item) => ruledOut(shape.item(), item, `${path}[]`)));
  }
  const map = isJsonObject(at) ? at : {};
  if (!(types & jsonTypes.map) || Object.keys(map).length > (most.keys ?? 99)) return `${path} is a map`;
  return first(Object.keys(map).map((key) => ruledOut(shape.property(key), map[key] ?? null, `${path}.${key}`)));
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((one) => one !== undefined);
}

describe("what is known of a call from its schema", () => {
  it("permits whatever the schema accepts", () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        rooted,
        fc.array(fc.dictionary(keys, value, { maxKeys: 2 }), { minLength: 20, maxLength: 20 }),
        (written, calls) => {
          if (schemaProblem(written)) return;
          const check = compileSchema(written, "input");
          const other = shapeOf({ type: "object", properties: { a: { type: "string" } }, additionalProperties: false });
          for (const call of calls.map((map) => ({ ...map }))) {
            if (check(call)) continue;
            accepted++;
            expect(ruledOut(shapeOf(written), call, "input")).toBeUndefined();
            expect(ruledOut(union([other, shapeOf(written)], { apart: true }), call, "input")).toBeUndefined();
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(300);
  });
});

const order: JsonObject = {
  type: "object",
  properties: {
    qty: { type: "integer" },
    price: { type: "number" },
    name: { type: "string" },
    flag: { type: "boolean" },
    tags: { type: "array", items: { enum: ["x", "y"] } },
    counts: { type: "array", items: { type: "integer" } },
    deep: { $ref: "#/$defs/deep" },
    lines: { type: "array", items: { $ref: "#/$defs/deep" } },
  },
  required: ["qty", "price", "name", "flag", "tags", "counts", "deep", "lines"],
  additionalProperties: false,
  $defs: {
    deep: {
      type: "object",
      properties: { qty: { type: "integer" }, name: { type: "string" } },
      required: ["qty", "name"],
      additionalProperties: false,
    },
  },
};
const text = fc.constantFrom("x", "y", "", "/a/b");
const deep = fc.record({ qty: fc.integer({ min: -9, max: 9 }), name: text });
const call: fc.Arbitrary<JsonObject> = fc.record({
  qty: fc.integer({ min: -9, max: 9 }),
  price: fc.double({ noNaN: true, min: -9, max: 9 }),
  name: text,
  flag: fc.boolean(),
  tags: fc.array(fc.constantFrom("x", "y"), { maxLength: 3 }),
  counts: fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 3 }),
  deep,
  lines: fc.array(deep, { maxLength: 3 }),
});

/** Expressions of one type, of values that the schema of `order` has. */
const written = fc.letrec<{ int: string; double: string; string: string; bool: string }>((tie) => {
  const infix = (left: "int" | "double", signs: string[], right: "int" | "double") =>
    fc.tuple(tie(left), fc.constantFrom(...signs), tie(right)).map((parts) => `(${parts.join(" ")})`);
  return {
    int: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom("input.qty", "input.deep.qty", "1", "2", "size(input.tags)", "session.depth"),
      fc.constantFrom("input.lines.filter(l, l.qty > 1).size()", "int(input.price)", "vars.half"),
      infix("int", ["+", "-", "*", "%"], "int"),
      tie("int").map((a) => `int(${a}) / 2`),
    ),
    double: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom("input.price", "1.5", "double(input.qty)"),
      infix("double", ["+", "-", "*", "/"], "int"),
      infix("int", ["+", "-", "*", "/"], "double"),
    ),
    string: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom("input.name", "input.deep.name", '"x"', "string(input.qty)", "agent.id"),
      fc.tuple(tie("string"), tie("string")).map(([a, b]) => `(${a} + ${b})`),
    ),
    bool: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(
        "input.flag",
        '"x" in input.tags',
        "3 in input.counts",
        'input.tags == ["x"]',
        'input.deep == {"qty": 1, "name": "x"}',
      ),
      fc.tuple(tie("int"), fc.constantFrom("==", "<", ">="), tie("double")).map((parts) => parts.join(" ")),
      fc.tuple(tie("int"), fc.constantFrom("!=", ">"), tie("int")).map((parts) => parts.join(" ")),
      fc.tuple(tie("string"), fc.constantFrom("==", "<"), tie("string")).map((parts) => parts.join(" ")),
      tie("int").map((a) => `input.lines.all(l, l.qty < ${a} || l.name == "x")`),
      tie("int").map((a) => `input.counts.map(c, c + ${a}).exists(c, c / int(2) == 1)`),
      fc.tuple(tie("bool"), fc.constantFrom("&&", "||"), tie("bool")).map((parts) => `(${parts.join(" ")})`),
      fc.tuple(tie("bool"), tie("string")).map(([a, b]) => `(${a} ? ${b} : "y").startsWith("x")`),
    ),
  };
}).bool;

describe("a condition of the types that its schema declares", () => {
  it("compiles, and never meets a value of another type", () => {
    const variables = { half: "int(input.qty) / 2" };
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(written, fc.array(call, { minLength: 3, maxLength: 3 }), (condition, calls) => {
        const check = compileSchema(order, "input");
        for (const input of calls) {
          expect(check(input)).toBeUndefined();
          const outcome = outcomeIn([order], condition, { input }, variables);
          const came = outcome instanceof Failure ? outcome.reason : String(outcome);
          seen.set(came, (seen.get(came) ?? 0) + 1);
          expect(came, condition).not.toBe("type");
        }
      }),
      { numRuns: 200 },
    );
    expect(Math.min(seen.get("true") ?? 0, seen.get("false") ?? 0)).toBeGreaterThan(60);
  });
});
