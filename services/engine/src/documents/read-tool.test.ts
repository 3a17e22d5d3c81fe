import { describe, expect, it } from "vitest";
import { problemsOf } from "../../test/sample.ts";
import { parseDocuments } from "../index.ts";

const head = "apiVersion: remit/v1\nkind: Tool\nmetadata: { name: bank.transfer }\nspec:\n  risk: write\n";
const tool = (...lines: string[]) => `${head}${lines.map((line) => `  ${line}\n`).join("")}`;
const schema =
  "inputSchema: { type: object, additionalProperties: false, properties: { order_id: { type: string }, " +
  "to: { type: object, properties: { iban: {} } }, items: { type: array, items: { type: object, " +
  "properties: { note: {} }, additionalProperties: false } } } }";

describe("a tool", () => {
  it("says what it costs at most, what is not kept, what its output carries and whether it may be called", () => {
    const text = tool(
      schema,
      "contextSchema: { type: object, properties: { user: { type: object } } }",
      'cost: [{ unit: EUR, value: "0.25" }, { unit: tokens, value: "1000" }]',
      'maximum: [{ unit: EUR, value: "500" }]',
      "redact: [input.to.iban, context.user.email, input.items.*.note]",
      "outputLabels: [untrusted]",
      "idempotentOn: [order_id]",
      "status: suspended",
    );
    expect(problemsOf(text)).toEqual([]);
    expect(parseDocuments([{ file: "tool.yaml", text }]).documents.tools[0]?.spec).toMatchObject({
      cost: [
        { unit: "EUR", value: "0.25" },
        { unit: "tokens", value: "1000" },
      ],
      maximum: [{ unit: "EUR", value: "500" }],
      redact: ["input.to.iban", "context.user.email", "input.items.*.note"],
      outputLabels: ["untrusted"],
      idempotentOn: ["order_id"],
      status: "suspended",
    });
  });

  it.each<[string, string, string[]]>([
    [
      "a number where money is meant",
      "cost: [{ unit: EUR, value: 0.25 }]",
      ["test.yaml:6:30", 'expected: a decimal written as text, such as "12.50"'],
    ],
    ["more digits than there are", 'cost: [{ unit: EUR, value: "0.0000001" }]', ["at most 6 digits after the point"]],
    ["a unit that is none", 'maximum: [{ unit: Euro, value: "1" }]', ["test.yaml:6:21", "a currency such as EUR"]],
    [
      "a unit twice",
      'maximum: [{ unit: EUR, value: "1" }, { unit: EUR, value: "2" }]',
      ["test.yaml:6:48", "`EUR` is given twice"],
    ],
    ["a path without a root", "redact: [order_id]", ["test.yaml:6:12", "a path into the input or the context"]],
    ["a business key with its root", "idempotentOn: [input.id]", ["test.yaml:6:18", "expected: id"]],
    ["a business key of nothing", "idempotentOn: [order..id]", ["a path below the input, such as order_id"]],
    ["a digest that is none", "offeredSchema: sha256:1", ["test.yaml:6:18", "sha256:<64 hex digits>"]],
    ["a word that is no status", "status: suspnded", ["did you mean: suspended"]],
    ["a label with a space", 'outputLabels: ["not trusted"]', ["letters, digits"]],
  ])("with %s is refused at its place", (_, line, parts) => {
    const [problem = "", ...more] = problemsOf(tool(line));
    for (const part of parts) expect(problem).toContain(part);
    expect(more).toEqual([]);
  });

  it("that redacts or goes by what its input cannot have is refused with the nearest name", () => {
    const [redact, business] = problemsOf(tool(schema, "redact: [input.order]", "idempotentOn: [orderid]"));
    expect(redact).toContain("test.yaml:7:12: error: the input of this tool has no `input.order`");
    expect(business).toContain("test.yaml:8:18: error: the input of this tool has no `input.orderid`");
    expect(redact).toContain("did you mean: input.order_id");
    expect(business).toContain("did you mean: input.order_id");
    expect(problemsOf(tool(schema, "redact: [input.items.*.nte]"))[0]).toContain("did you mean: input.items.*.note");
    expect(problemsOf(tool(schema, "redact: [input.order_id.x]"))[0]).toContain("has no `input.order_id.x`");
    expect(problemsOf(tool("redact: [input.a, input.a]"))[0]).toContain("`input.a` is given twice");
  });

  it("does not cost more than it may", () => {
    const text = tool('cost: [{ unit: EUR, value: "10" }]', 'maximum: [{ unit: EUR, value: "9.99" }]');
    expect(problemsOf(text)[0]).toContain("test.yaml:6:10: error: the cost of 10 EUR is above the maximum of 9.99 EUR");
  });
});
