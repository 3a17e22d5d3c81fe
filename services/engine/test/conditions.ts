import { evaluationStepsMax, type Frame, noAmountsRead } from "../src/cel/frame.ts";
import { Failure, type Outcome } from "../src/cel/value.ts";
import { policyExpressions } from "../src/compile/condition.ts";
import { finish } from "../src/compile/steps.ts";
import type { Report } from "../src/documents/origin.ts";
import type { Facts, JsonObject, ToolDocument } from "../src/index.ts";
import { inputShape, typesAmong } from "../src/typing/tool-types.ts";
import { sampleFacts } from "./sample.ts";

/** The value of an expression over facts; a failure as `unknown: why`. Throws what does not compile. */
export function resultOf(text: string, facts: Partial<Facts> = {}, variables: Record<string, string> = {}): unknown {
  const outcome = outcomeOf(text, facts, variables);
  return outcome instanceof Failure ? `unknown: ${outcome.why}` : outcome;
}

export function outcomeOf(text: string, facts: Partial<Facts> = {}, variables: Record<string, string> = {}): Outcome {
  const problems: string[] = [];
  const expressions = policyExpressions(variables, (_, message) => problems.push(message));
  const compiled = expressions.value(text, "");
  if (!compiled) throw new Error(problems.join("; "));
  return compiled.run(frameOf({ ...sampleFacts(), ...facts }));
}

/** How many steps an expression takes. */
export function stepsOf(text: string, input: JsonObject): number {
  const frame = frameOf({ ...sampleFacts(), input });
  policyExpressions({}, () => {})
    .value(text, "")
    ?.run(frame);
  return evaluationStepsMax - frame.meter.steps;
}

/** The same where the called tool has this input schema. */
export function resultIn(inputSchema: JsonObject, text: string, facts: Partial<Facts> = {}): unknown {
  const outcome = outcomeIn([inputSchema], text, facts);
  return outcome instanceof Failure ? `unknown: ${outcome.why}` : outcome;
}

/** Where the expression may meet several tools, of which the first is called. */
export function outcomeIn(
  schemas: readonly JsonObject[],
  text: string,
  facts: Partial<Facts> = {},
  variables: Record<string, string> = {},
): Outcome {
  const problems: string[] = [];
  const tools = schemas.map((inputSchema, at) => toolDocument(`pay${at === 0 ? "" : at}`, inputSchema));
  const match = { tools: ["pay*"] };
  const types = finish(typesAmong(new Map(tools.map((tool) => [tool.metadata.name, tool])), [match])).find(match);
  if (!types || !tools[0]) throw new Error("no tool");
  const report: Report = (_, message, details) => {
    if (details?.severity !== "warning") problems.push(message);
  };
  const compiled = policyExpressions(variables, report)
    .among({ ...types, named: true })
    .value(text, "");
  if (!compiled || problems.length > 0) throw new Error(problems.join("; "));
  return compiled.run(frameIn(tools[0], facts));
}

function frameIn(tool: ToolDocument, facts: Partial<Facts>): Frame {
  const frame = frameOf({ ...sampleFacts(), ...facts });
  return { ...frame, tool: { ...frame.tool, input: inputShape(tool) } };
}

/** The most steps that an expression may take where the called tool has this input schema, and those that it took. */
export function stepsIn(
  inputSchema: JsonObject,
  text: string,
  input: JsonObject,
  variables: Record<string, string> = {},
): { readonly most: number | undefined; readonly taken: number; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const tool = toolDocument("pay", inputSchema);
  const types = finish(typesAmong(new Map([["pay", tool]]), [{ tools: ["pay"] }])).find({ tools: ["pay"] });
  if (!types) throw new Error("no tool");
  const report: Report = (_, message) => problems.push(message);
  const compiled = policyExpressions(variables, report).among(types).value(text, "");
  const frame = frameIn(tool, { input });
  compiled?.run(frame);
  return { most: compiled?.most, taken: evaluationStepsMax - frame.meter.steps, problems };
}

function toolDocument(name: string, inputSchema: JsonObject): ToolDocument {
  return { apiVersion: "remit/v1", kind: "Tool", metadata: { name }, spec: { risk: "write", inputSchema } };
}

/** What is wrong with an expression. */
export function complaintsOf(text: string, variables: Record<string, string> = {}): string[] {
  const problems: string[] = [];
  policyExpressions(variables, (_, message, details) => {
    problems.push(details?.nearest === undefined ? message : `${message} (${details.nearest}?)`);
  }).condition(text, "");
  return problems;
}

export function frameOf(facts: Facts): Frame {
  return {
    facts,
    tool: { name: facts.call.tool, server: "bank", risk: "write", labels: { tier: "1" } },
    input: facts.input,
    answers: facts.answers,
    now: { text: facts.now, value: undefined },
    amounts: noAmountsRead(),
    meter: { steps: evaluationStepsMax },
    variables: [],
    locals: [],
  };
}
