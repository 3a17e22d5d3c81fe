import { isExactName } from "../compile/pattern.ts";
import { indexSelectors, selectorKey } from "../compile/selectors.ts";
import { type Steps, sortInSteps } from "../compile/steps.ts";
import type { MatchDocument } from "../documents/policy.ts";
import type { ToolDocument } from "../documents/tool.ts";
import { shapeOf } from "./schema-shape.ts";
import { anything, type Shape, union, unsure } from "./shape.ts";

/** What the schemas of every registered tool that a rule can match say of its calls. */
export interface ToolTypes {
  readonly tools: readonly ToolDocument[];
  readonly input: Shape;
  readonly context: Shape;
  /** How messages call the tools. */
  readonly owner: string;
  /** Whether the rule names its tools one by one: then it speaks of these and of no others that may come. */
  readonly named: boolean;
}

/** The types of a rule's calls; undefined while it matches no registered tool. */
export type FindTypes = (match: MatchDocument) => ToolTypes | undefined;

/** For what is compiled once and run for calls of any tool. */
export const anyTool: ToolTypes = { tools: [], input: unsure, context: unsure, owner: "any tool", named: true };

const noSchema = { type: "object" };

export function inputShape({ spec }: ToolDocument): Shape {
  return shapeOf(spec.inputSchema ?? noSchema);
}

export function contextShape({ spec }: ToolDocument): Shape {
  return shapeOf(spec.contextSchema ?? noSchema);
}

/**
 * Finds the types of rules among registered tools; what several rules match is put together once. `matches` are those of
 * all rules that will ask: their tools are found by an index over them, not by holding each against every tool.
 */
export function* typesAmong(
  registered: ReadonlyMap<string, ToolDocument>,
  matches: Iterable<MatchDocument>,
): Steps<FindTypes> {
  const selectors = yield* indexSelectors(keyed(matches));
  const toolsOf = Array.from({ length: selectors.count }, (): ToolDocument[] => []);
  for (const name of yield* sortInSteps([...registered.keys()], byCodeUnits)) {
    const tool = registered.get(name);
    if (!tool) continue;
    const { server, risk } = tool.spec;
    // A tool's at a time: who asks for them later finds them known.
    inputShape(tool);
    yield toolCost;
    contextShape(tool);
    const fitting = yield* selectors.fitting({ name, server, risk, labels: {} });
    for (let at = 0; at < fitting.length; at++) {
      toolsOf[fitting[at] ?? 0]?.push(tool);
      if (at % fittingAtOnce === fittingAtOnce - 1) yield fittingAtOnce * pushCost;
    }
    yield toolCost;
  }
  const known = new Map<number, ToolTypes | undefined>();
  return (match) => {
    const selector = selectors.numberOf(selectorKey(match));
    const there = known.get(selector);
    if (there || known.has(selector)) return there;
    const tools = toolsOf[selector] ?? [];
    const types = tools.length === 0 ? undefined : typesOfTools(tools, (match.tools ?? ["*"]).every(isExactName));
    known.set(selector, types);
    return types;
  };
}

function* keyed(matches: Iterable<MatchDocument>): Generator<readonly [string, MatchDocument]> {
  for (const match of matches) yield [selectorKey(match), match];
}

/** Of noting a tool for a match. */
const pushCost = 0.01;
const fittingAtOnce = 1000;
const byCodeUnits = (one: string, other: string) => (one < other ? -1 : 1);
const toolCost = 1;

/** Schemas of one kind that a rule's texts are compared with: each place that a text reads is asked of all of them. */
const schemasMax = 500;

function typesOfTools(tools: readonly ToolDocument[], named: boolean): ToolTypes {
  const [first] = tools;
  const inputs = new Set<Shape>();
  const contexts = new Set<Shape>();
  for (const tool of tools) {
    inputs.add(inputShape(tool));
    contexts.add(contextShape(tool));
    if (inputs.size + contexts.size > schemasMax + 1) return { ...anyTool, tools };
  }
  const shape = (of: ReadonlySet<Shape>) => union([...of], { apart: true }) ?? anything;
  return {
    tools,
    input: shape(inputs),
    context: shape(contexts),
    owner: tools.length === 1 ? (first?.metadata.name ?? "") : `any of ${tools.length} tools`,
    named,
  };
}
