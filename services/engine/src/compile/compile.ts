import type { Amount } from "../amount.ts";
import type { ToolFacts } from "../cel/frame.ts";
import { reporter } from "../documents/origin.ts";
import type { PolicyDocument } from "../documents/policy.ts";
import { hasErrors, type Problem } from "../documents/problem.ts";
import type { ToolDocument } from "../documents/tool.ts";
import type { JsonObject } from "../json.ts";
import { checkPolicy } from "./check-policy.ts";
import { type CompiledPolicy, compilePolicy, matchesTool } from "./compile-policy.ts";
import type { CompiledRule } from "./rule.ts";
import { compileSchema, type SchemaCheck, schemaProblem } from "./schema.ts";

/** The rules of one policy that one tool's calls may meet. */
export interface RuleGroup {
  /** The policy's place among all: rules are judged and named in this order. */
  readonly order: number;
  readonly observed: boolean;
  /** The labels an agent must carry. */
  readonly labels: readonly (readonly [string, string])[];
  readonly variableCount: number;
  readonly transforms: readonly CompiledRule[];
  readonly others: readonly CompiledRule[];
}

export interface CompiledTool {
  readonly document: ToolDocument;
  readonly facts: ToolFacts;
  readonly checkInput: SchemaCheck | undefined;
  readonly checkContext: SchemaCheck | undefined;
  readonly suspended: boolean;
  /** Of the registered input schema, empty without one; undefined where nobody makes digests. */
  readonly schemaDigest: string | undefined;
  readonly offeredSchema: string | undefined;
  readonly cost: readonly Amount[] | undefined;
  readonly maximum: readonly Amount[] | undefined;
  /** The types in which each question of the tool's rules takes its answer. */
  readonly questions: ReadonlyMap<string, ReadonlySet<string>>;
  /** Groups for every agent. */
  readonly everyAgent: readonly RuleGroup[];
  /** Groups for agents with labels, under one of the labels they need. */
  readonly byLabel: ReadonlyMap<string, readonly RuleGroup[]>;
}

/** Tools and policies in one immutable structure: a call looks up its tool and meets only rules that could match it. */
export interface Compiled {
  readonly tools: ReadonlyMap<string, CompiledTool>;
  /** In the order in which they are judged. */
  readonly policies: readonly CompiledPolicy[];
}

export interface CompileSource {
  readonly policies: readonly { readonly document: PolicyDocument; readonly version: number }[];
  readonly tools: readonly ToolDocument[];
  /** Makes the digest of an input schema. Without it, a call whose caller names one is of a changed tool. */
  readonly schemaDigest?: (schema: JsonObject) => string;
}

export interface CompileOptions {
  /** Warnings count as errors. */
  readonly strict?: boolean;
  /** What was compiled before. Of the very same documents it is used again, so that a change costs what has changed. */
  readonly last?: Compiled | undefined;
}

/**
 * Compiles documents. Problems are found at their place in the file if {@link parseDocuments} read the documents in
 * this process. With an error nothing is compiled.
 */
export function compile(
  source: CompileSource,
  { strict, last }: CompileOptions = {},
): { compiled?: Compiled; problems: Problem[] } {
  const problems: Problem[] = [];
  const tools = uniqueTools(source.tools, problems);
  const policies = compilePolicies(source, tools, last, problems);
  const checks = [...tools.values()].map((tool) => keptTool(tool, source, last) ?? compileTool(tool, source, problems));
  const found = strict ? problems.map((problem) => ({ ...problem, severity: "error" as const })) : problems;
  if (hasErrors(found)) return { problems: found };
  const samePolicies = last !== undefined && sameItems(last.policies, policies);
  const index = checks.map((tool) => {
    const indexed = samePolicies && isIndexed(tool) ? tool : indexTool(tool, policies);
    return [tool.facts.name, indexed] as const;
  });
  return { compiled: { tools: new Map(index), policies: samePolicies ? last.policies : policies }, problems: found };
}

function isIndexed(tool: CheckedTool | CompiledTool): tool is CompiledTool {
  return "everyAgent" in tool;
}

function sameItems(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((item, index) => item === others[index]);
}

function keptTool(
  document: ToolDocument,
  { schemaDigest }: CompileSource,
  last: Compiled | undefined,
): CompiledTool | undefined {
  const kept = last?.tools.get(document.metadata.name);
  if (kept?.document !== document) return undefined;
  return kept.schemaDigest === undefined && schemaDigest ? undefined : kept;
}

function uniqueTools(documents: readonly ToolDocument[], problems: Problem[]): Map<string, ToolDocument> {
  const tools = new Map<string, ToolDocument>();
  for (const document of documents) {
    const { name } = document.metadata;
    if (tools.has(name))
      reporter(document, `tool ${name}`, problems)("/metadata/name", `the tool \`${name}\` is declared twice`);
    tools.set(name, document);
  }
  return tools;
}

function compilePolicies(
  source: CompileSource,
  tools: ReadonlyMap<string, ToolDocument>,
  last: Compiled | undefined,
  problems: Problem[],
): CompiledPolicy[] {
  const names = new Set<string>();
  const kept = new Map(last?.policies.map((policy) => [policy.document, policy]));
  return source.policies.map(({ document, version }) => {
    const { name } = document.metadata;
    const report = reporter(document, `policy ${name}`, problems);
    if (names.has(name)) report("/metadata/name", `the policy \`${name}\` is declared twice`);
    names.add(name);
    const before = kept.get(document);
    const policy = before?.version === version ? before : compilePolicy(document, version, report);
    checkPolicy(policy, tools, report);
    return policy;
  });
}

type CheckedTool = Omit<CompiledTool, "questions" | "everyAgent" | "byLabel">;

function compileTool(document: ToolDocument, { schemaDigest }: CompileSource, problems: Problem[]): CheckedTool {
  const { metadata, spec } = document;
  const check = (key: "inputSchema" | "contextSchema", root: string): SchemaCheck | undefined => {
    const schema = spec[key];
    if (!schema) return undefined;
    const problem = schemaProblem(schema);
    if (!problem) return compileSchema(schema, root);
    reporter(document, `tool ${metadata.name}`, problems)(`/spec/${key}${problem.pointer}`, problem.message);
    return undefined;
  };
  return {
    document,
    facts: { name: metadata.name, server: spec.server, risk: spec.risk, labels: spec.labels ?? {} },
    checkInput: check("inputSchema", "input"),
    checkContext: check("contextSchema", "context"),
    suspended: spec.status === "suspended",
    schemaDigest: spec.inputSchema ? schemaDigest?.(spec.inputSchema) : "",
    offeredSchema: spec.offeredSchema,
    cost: spec.cost,
    maximum: spec.maximum,
  };
}

function indexTool(tool: CheckedTool, policies: readonly CompiledPolicy[]): CompiledTool {
  const everyAgent: RuleGroup[] = [];
  const questions = new Map<string, Set<string>>();
  const byLabel = new Map<string, RuleGroup[]>();
  for (const [order, policy] of policies.entries()) {
    const rules = policy.rules.filter(({ match }) => matchesTool(match, tool.facts)).map(({ rule }) => rule);
    if (rules.length === 0) continue;
    const group: RuleGroup = {
      order,
      observed: policy.observed,
      labels: policy.labels,
      variableCount: policy.variableCount,
      transforms: rules.filter((rule) => rule.effect === "transform"),
      others: rules.filter((rule) => rule.effect !== "transform"),
    };
    for (const { id, type } of rules.flatMap((rule) => rule.questions)) {
      questions.set(id, (questions.get(id) ?? new Set()).add(type));
    }
    const [label] = policy.labels;
    if (!label) everyAgent.push(group);
    else byLabel.set(labelKey(...label), [...(byLabel.get(labelKey(...label)) ?? []), group]);
  }
  return { ...tool, questions, everyAgent, byLabel };
}

function labelKey(key: string, value: string): string {
  return `${key}=${value}`;
}

/** The groups that apply to an agent with these labels, in the order of their policies. */
export function groupsFor(tool: CompiledTool, labels: Readonly<Record<string, string>>): readonly RuleGroup[] {
  if (tool.byLabel.size === 0) return tool.everyAgent;
  const groups = [...tool.everyAgent];
  for (const key of Object.keys(labels)) {
    for (const group of tool.byLabel.get(labelKey(key, labels[key] ?? "")) ?? []) {
      if (group.labels.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value))
        groups.push(group);
    }
  }
  return groups.sort((one, other) => one.order - other.order);
}
