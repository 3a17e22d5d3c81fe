import type { Amount } from "../amount.ts";
import { evaluationStepsMax, type ToolFacts } from "../cel/frame.ts";
import { reporter } from "../documents/origin.ts";
import type { MatchDocument, PolicyDocument } from "../documents/policy.ts";
import { hasErrors, type Problem } from "../documents/problem.ts";
import type { ToolDocument } from "../documents/tool.ts";
import { parseDurationMs } from "../duration.ts";
import type { JsonObject } from "../json.ts";
import { prepareCedar } from "../languages/cedar/engine.ts";
import { type CedarRead, type CedarTexts, cedarTexts, knownRead, rememberRead } from "../languages/cedar/read-texts.ts";
import { contextShape, type FindTypes, inputShape, type KnownTypes, typesAmong } from "../typing/tool-types.ts";
import { checkPolicy } from "./check-policy.ts";
import { type CompiledPolicy, compilePolicy } from "./compile-policy.ts";
import { indexRules, type LaidOutMax, type RuleIndex } from "./rule-index.ts";
import { sameItems } from "./same-items.ts";
import { compileSchemaInSteps, type SchemaCheck } from "./schema.ts";
import { finish, finishInSlices, type Steps } from "./steps.ts";
import { type CompiledCosts, compileCosts } from "./tool-costs.ts";
import type { ToolRules } from "./tool-rules.ts";

export interface CompiledTool {
  readonly document: ToolDocument;
  readonly facts: ToolFacts;
  readonly checkInput: SchemaCheck | undefined;
  readonly checkContext: SchemaCheck | undefined;
  readonly suspended: boolean;
  /** Of the registered input schema, empty without one; undefined where nobody makes digests. */
  readonly schemaDigest: string | undefined;
  readonly offeredSchema: string | undefined;
  readonly costs: CompiledCosts;
  /** How long a call may run at most; undefined where its tool does not say. */
  readonly longestRunMs: number | undefined;
  readonly maximum: readonly Amount[] | undefined;
  readonly rules: ToolRules;
}

/** Tools and policies in one immutable structure: a call looks up its tool and meets only rules that could match it. */
export interface Compiled {
  readonly tools: ReadonlyMap<string, CompiledTool>;
  /** In the order in which they are judged. */
  readonly policies: readonly CompiledPolicy[];
  readonly index: RuleIndex;
  /** The budgets that policies read, so that whoever judges by them finds out no others; `every`: any may be read. */
  readonly budgets: ReadonlySet<string> | "every";
  /** For compiling again. */
  readonly types: KnownTypes;
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

export interface CompileInSlicesOptions extends CompileOptions {
  /** Reads a policy in Cedar elsewhere, since Cedar cannot be interrupted; absent: it is read here. */
  readonly readCedar?: ((texts: CedarTexts) => Promise<CedarRead>) | undefined;
}

export interface CompileResult {
  /** Undefined if a problem is an error. */
  readonly compiled?: Compiled;
  readonly problems: Problem[];
}

/**
 * Compiles documents. Problems are found at their place in the file if {@link parseDocuments} read the documents in
 * this process. With an error nothing is compiled.
 */
export function compile(source: CompileSource, options: CompileOptions = {}): CompileResult {
  return finish(compileSteps(source, options));
}

/** The same in slices of some milliseconds; between them it awaits `pause`, so that a big tenant holds nobody up. */
export async function compileInSlices(
  source: CompileSource,
  options: CompileInSlicesOptions,
  pause: () => Promise<void>,
): Promise<CompileResult> {
  await prepareLanguages(source, options, pause);
  return finishInSlices(compileSteps(source, options), pause);
}

/** What compiling in steps could not interrupt: loading Cedar, and reading the policies in it that were not compiled before. */
async function prepareLanguages(
  { policies }: CompileSource,
  { last, readCedar }: CompileInSlicesOptions,
  pause: () => Promise<void>,
): Promise<void> {
  const kept = new Set(last?.policies.map(({ document }) => document));
  const inCedar = policies.filter(({ document }) => document?.spec?.language === "cedar" && !kept.has(document));
  if (inCedar.length === 0) return;
  await prepareCedar(pause);
  for (const { document } of readCedar ? inCedar : []) {
    const read = knownRead(document) ?? (await readCedar?.(cedarTexts(document)));
    if (read) rememberRead(document, read);
  }
}

interface CompileStepsOptions extends CompileOptions {
  readonly laidOutMax?: LaidOutMax;
}

/** The same, a piece at a time. */
export function* compileSteps(
  source: CompileSource,
  { strict, last, laidOutMax }: CompileStepsOptions,
): Steps<CompileResult> {
  const problems: Problem[] = [];
  const tools = yield* uniqueTools(source.tools, problems);
  const { find, known: types } = yield* typesAmong(tools, matchesOf(source), last?.types);
  const policies = yield* compilePolicies(source, { tools, find, last }, problems);
  const checked: (CheckedTool | CompiledTool)[] = [];
  for (const tool of tools.values()) {
    const kept = keptTool(tool, source, last);
    checked.push(kept ?? (yield* compileTool(tool, source, problems)));
    yield kept ? keptCost : toolCost;
  }
  const told = () => (strict ? problems.map((problem) => ({ ...problem, severity: "error" as const })) : problems);
  if (hasErrors(told())) return { problems: told() };
  const samePolicies = last !== undefined && sameItems(last.policies, policies);
  const index = samePolicies ? last.index : yield* indexRules(policies, laidOutMax);
  const budgets = samePolicies ? last.budgets : budgetsOf(policies);
  const compiled = new Map<string, CompiledTool>();
  const costly = new Map<ToolRules, ToolDocument>();
  for (const tool of checked) {
    const kept = samePolicies && "rules" in tool;
    const rules = kept ? tool.rules : yield* index.rulesFor(tool.facts);
    compiled.set(tool.facts.name, kept ? tool : { ...tool, rules });
    if (rules.most > evaluationStepsMax) costly.set(rules, tool.document);
    yield kept ? keptCost : 1;
  }
  for (const [rules, document] of costly) warnCostly(document, rules, problems);
  const found = told();
  if (hasErrors(found)) return { problems: found };
  return {
    compiled: Object.freeze({
      tools: compiled,
      policies: samePolicies ? last.policies : policies,
      index,
      budgets,
      types,
    }),
    problems: found,
  };
}

function budgetsOf(policies: readonly CompiledPolicy[]): Compiled["budgets"] {
  const names = new Set<string>();
  for (const { budgets } of policies) {
    if (budgets === "every") return budgets;
    for (const name of budgets) names.add(name);
  }
  return names;
}

/** Each condition by itself keeps to what a decision may take; together they may not. */
function warnCostly(document: ToolDocument, { most }: ToolRules, problems: Problem[]): void {
  const { name } = document.metadata;
  const message = `the rules about \`${name}\` may take ${Math.ceil(most)} steps together, more than the ${evaluationStepsMax} of a decision: such a call is denied`;
  const expected =
    "fewer rules about one tool that go through long values, or a smaller maxItems or maxLength in its schema";
  reporter(document, `tool ${name}`, problems)("/metadata/name", message, {
    code: "cost_exceeded",
    severity: "warning",
    expected,
  });
}

const keptCost = 0.05;
const toolCost = 1;
/** Making the digest of a schema. */
const digestCost = 10;

function keptTool(
  document: ToolDocument,
  { schemaDigest }: CompileSource,
  last: Compiled | undefined,
): CompiledTool | undefined {
  const kept = last?.tools.get(document.metadata.name);
  if (kept?.document !== document) return undefined;
  return kept.schemaDigest === undefined && schemaDigest ? undefined : kept;
}

function* uniqueTools(documents: readonly ToolDocument[], problems: Problem[]): Steps<Map<string, ToolDocument>> {
  const tools = new Map<string, ToolDocument>();
  for (const document of documents) {
    const { name } = document.metadata;
    if (tools.has(name))
      reporter(document, `tool ${name}`, problems)("/metadata/name", `the tool \`${name}\` is declared twice`, {
        code: "name_taken",
      });
    tools.set(name, document);
    yield keptCost;
  }
  return tools;
}

function* matchesOf({ policies }: CompileSource): Generator<MatchDocument> {
  for (const { document } of policies) for (const { match } of document.spec.rules) yield match;
}

interface Surroundings {
  readonly tools: ReadonlyMap<string, ToolDocument>;
  readonly find: FindTypes;
  readonly last: Compiled | undefined;
}

function* compilePolicies(
  source: CompileSource,
  { tools, find, last }: Surroundings,
  problems: Problem[],
): Steps<CompiledPolicy[]> {
  const names = new Set<string>();
  const kept = new Map(last?.policies.map((policy) => [policy.document, policy]));
  const policies: CompiledPolicy[] = [];
  for (const { document, version } of source.policies) {
    const { name } = document.metadata;
    const report = reporter(document, `policy ${name}`, problems);
    if (names.has(name)) report("/metadata/name", `the policy \`${name}\` is declared twice`, { code: "name_taken" });
    names.add(name);
    const before = kept.get(document);
    const same = before?.version === version ? before : undefined;
    const policy = yield* compilePolicy({ document, version, before: same }, find, report);
    yield* checkPolicy(policy, tools, report);
    policies.push(policy);
  }
  return policies;
}

type CheckedTool = Omit<CompiledTool, "rules">;

function* compileTool(
  document: ToolDocument,
  { schemaDigest }: CompileSource,
  problems: Problem[],
): Steps<CheckedTool> {
  const { metadata, spec } = document;
  const check = function* (key: "inputSchema" | "contextSchema", root: string): Steps<SchemaCheck | undefined> {
    const schema = spec[key];
    const made = schema && (yield* compileSchemaInSteps(schema, root));
    if (made === undefined || !("message" in made)) return made;
    reporter(document, `tool ${metadata.name}`, problems)(`/spec/${key}${made.pointer}`, made.message);
    return undefined;
  };
  const checkInput = yield* check("inputSchema", "input");
  const checkContext = yield* check("contextSchema", "context");
  yield digestCost;
  const facts: ToolFacts = {
    name: metadata.name,
    server: spec.server,
    risk: spec.risk,
    labels: spec.labels ?? {},
    input: inputShape(document),
    context: contextShape(document),
  };
  const costs = yield* compileCosts(document, facts, reporter(document, `tool ${metadata.name}`, problems));
  return {
    document,
    facts,
    checkInput,
    checkContext,
    suspended: spec.status === "suspended",
    schemaDigest: spec.inputSchema ? schemaDigest?.(spec.inputSchema) : "",
    offeredSchema: spec.offeredSchema,
    costs,
    longestRunMs: spec.timeout === undefined ? undefined : parseDurationMs(spec.timeout),
    maximum: spec.maximum,
  };
}
