import { type JsonObject, type JsonValue, parseDocuments, schemaProblem } from "@remit/engine";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitSchema } from "./fit-schema.ts";

const fit = (schema: JsonObject) => fitSchema(schema, schemaProblem);

describe("a schema", () => {
  it("that fits stays the very one that was offered", () => {
    const offered = { type: "object", properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: { type: "string" } } };
    expect(fit(offered)).toEqual({ schema: offered, losses: [] });
    expect(fit(offered).schema).toBe(offered);
  });

  it("of an older draft says the same in today's words", () => {
    const offered = {
      $schema: "http://json-schema.org/draft-07/schema#",
      $id: "https://tools.example/x",
      type: "object",
      properties: {
        pair: { type: "array", items: [{ type: "string" }, { $ref: "#/definitions/n" }], additionalItems: false },
      },
      definitions: { n: { type: "number", minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false } },
    };
    expect(fit(offered)).toEqual({
      losses: [],
      schema: {
        type: "object",
        properties: {
          pair: { type: "array", prefixItems: [{ type: "string" }, { $ref: "#/$defs/n" }], items: false },
        },
        $defs: { n: { type: "number", exclusiveMinimum: 0, maximum: 9 } },
      },
    });
  });

  it("of OpenAPI's own dialect does too", () => {
    const offered = {
      type: "object",
      properties: { kind: { type: "string", nullable: true, enum: ["a"], example: "a", xml: {}, "x-order": 1 } },
      discriminator: { propertyName: "kind" },
    };
    expect(fit(offered)).toEqual({
      losses: [],
      schema: { type: "object", properties: { kind: { type: ["string", "null"], enum: ["a", null] } } },
    });
  });

  it.each<[string, JsonObject, string]>([
    ["a pattern that does not run in linear time", { pattern: "^(?=a)" }, "properties.a.pattern: "],
    ["a reference to another document", { $ref: "https://x.example/a.json" }, "properties.a.$ref: a reference to"],
    ["a keyword that nobody knows", { colour: "red" }, "properties.a.colour: an unknown keyword"],
    ["a default that is nested too deep", { default: nested(30) }, "properties.a.default: it is nested too deep"],
  ])("loses %s, and says so", (_, inner, loss) => {
    const { schema, losses } = fit({ type: "object", properties: { a: { ...inner, type: "string" } } });
    expect(schema).toEqual({ type: "object", properties: { a: { type: "string" } } });
    expect(losses).toHaveLength(1);
    expect(losses[0]).toContain(loss);
  });

  it("beyond mending accepts any object, and says so", () => {
    const large = { type: "object", properties: { a: { enum: ["x".repeat(300_000)] } } };
    const broken = { type: "object", properties: { a: { type: "no such type" } } };
    const deep = { type: "object", properties: { a: { default: nested(100_000) } } };
    for (const schema of [large, broken, deep]) {
      const fitted = fit(schema);
      expect(fitted.schema).toEqual({ type: "object" });
      expect(fitted.losses).toHaveLength(1);
    }
  });

  it("whatever it was, is one that a Tool document may have, and fits as it is", () => {
    const word = fc.constantFrom(
      ..."type properties items $ref $defs definitions enum anyOf required pattern nullable additionalItems not".split(
        " ",
      ),
      ..."minimum exclusiveMinimum if format uniqueItems x-a __proto__ a".split(" "),
    );
    const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: "medium", maxDepth: 6 },
        fc.constantFrom<JsonValue>("object", "string", "#/$defs/a", "(?!x)", "#", true, 3, null, "array"),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(word, tie("value"), { maxKeys: 4 }).map((map) => ({ ...map })),
      ),
    }));
    fc.assert(
      fc.property(value, (offered) => {
        const map =
          typeof offered === "object" && offered !== null && !Array.isArray(offered) ? offered : { a: offered };
        const { schema } = fit(map as JsonObject);
        const spec = { risk: "read", inputSchema: schema };
        const text = JSON.stringify({ apiVersion: "remit/v1", kind: "Tool", metadata: { name: "t" }, spec });
        expect(parseDocuments([{ file: "t.json", text }]).problems).toEqual([]);
        expect(fit(schema).schema).toBe(schema);
      }),
      { numRuns: 300 },
    );
  });
});

function nested(levels: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}
