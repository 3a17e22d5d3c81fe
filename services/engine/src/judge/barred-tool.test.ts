import { describe, expect, it } from "vitest";
import { compileTexts, policyText, sampleFacts, schemaDigest, toolText } from "../../test/sample.ts";
import { barredTool, evaluate, type Facts } from "../index.ts";

const allowAll = policyText([{ id: "all", match: { tools: ["*"] }, effect: "allow" }]);
const inputSchema = { type: "object", properties: { amount: { type: "number" } } };
const strict = { inputSchema, maximum: [{ unit: "EUR", value: "500" }] };
const registered = compileTexts(toolText("pay", strict), toolText("mail"), allowAll);
const suspended = compileTexts(toolText("pay", { ...strict, status: "suspended" }), allowAll);
const code = (facts: Facts, compiled = registered) => evaluate(compiled, facts).code;

const [seen, other] = [schemaDigest(inputSchema), "sha256:another"];
const invalid = { amount: "many" };
const nothing = { scopes: [] };

describe("what a tool refuses", () => {
  it("comes in one order, each with all that would come later wrong too", () => {
    const wrong = { input: invalid, schemaDigest: other, ...nothing };
    expect(code(sampleFacts({ ...wrong, tool: "none" }), suspended)).toBe("tool_unknown");
    expect(code(sampleFacts(wrong), suspended)).toBe("tool_suspended");
    expect(code(sampleFacts(wrong))).toBe("tool_schema_changed");
    expect(code(sampleFacts({ ...wrong, schemaDigest: seen }))).toBe("input_invalid");
    const dear = { estimate: [{ unit: "EUR", value: "500.01" }], schemaDigest: seen, ...nothing };
    expect(code(sampleFacts(dear))).toBe("input_invalid");
    expect(code(sampleFacts({ ...dear, estimate: [] }))).toBe("scope_exceeded");
    expect(code(sampleFacts({ schemaDigest: seen }))).toBe("rule_allowed");
  });

  it("is a schema where the caller sees none, and none where it sees one", () => {
    expect(code(sampleFacts({ schemaDigest: "" }))).toBe("tool_schema_changed");
    expect(code(sampleFacts({ tool: "mail", schemaDigest: seen }))).toBe("tool_schema_changed");
    expect(code(sampleFacts({ tool: "mail", schemaDigest: "" }))).toBe("rule_allowed");
  });

  it("is no change where the caller goes by what the tool's server offers", () => {
    const offeredSchema = `sha256:${"0".repeat(64)}`;
    const imported = compileTexts(toolText("pay", { inputSchema, offeredSchema }), allowAll);
    expect(code(sampleFacts({ schemaDigest: offeredSchema }), imported)).toBe("rule_allowed");
    expect(code(sampleFacts({ schemaDigest: seen }), imported)).toBe("rule_allowed");
    expect(code(sampleFacts({ schemaDigest: other }), imported)).toBe("tool_schema_changed");
  });

  it("stops an observed call by an operator's hand alone", () => {
    const observed = { mode: "observe" } as const;
    const changed = evaluate(registered, sampleFacts({ ...observed, schemaDigest: other }));
    expect(changed).toMatchObject({ effect: "allow", code: "observed", would: { code: "tool_schema_changed" } });
    expect(code(sampleFacts(observed), suspended)).toBe("tool_suspended");
    expect(code(sampleFacts({ ...observed, input: invalid }))).toBe("observed");
  });

  it("tells the model neither digest nor maximum, and whoever may diagnose both", () => {
    const changed = evaluate(registered, sampleFacts({ schemaDigest: other }));
    expect(changed.message).not.toContain(other);
    expect(changed.detail).toBe(`registered: ${seen}; the caller's: ${other}`);
    const dear = evaluate(registered, sampleFacts({ estimate: [{ unit: "EUR", value: "501" }] }));
    expect(dear.message).toBe("The estimate does not fit the tool: 501 EUR is more than one call may cost.");
    expect(dear.detail).toBe("at most 500 EUR");
  });

  it("can be asked alone, for a call that was decided earlier", () => {
    expect(barredTool(registered, { tool: "pay" })).toBeUndefined();
    expect(barredTool(registered, { tool: "pay", schemaDigest: other })?.code).toBe("tool_schema_changed");
    expect(barredTool(suspended, { tool: "pay" })?.code).toBe("tool_suspended");
  });
});
