import type { Documents, PolicyDocument, ToolDocument } from "@remit/engine";
import { type DraftPolicy, draftPolicies } from "./draft.ts";
import { bareTool, type Engine, factsOf } from "./facts.ts";
import { policyText } from "./policy-text.ts";
import type { SeenCall } from "./seen-call.ts";
import { testText } from "./test-text.ts";
import { jsonText } from "./yaml-text.ts";

/** A file that was drafted. */
export interface DraftFile {
  readonly file: string;
  readonly text: string;
}

export interface Suggestion {
  readonly policies: readonly DraftPolicy[];
  /** The policies, each with its tests beside it, then the tools that they are about. */
  readonly files: readonly DraftFile[];
  /** Tools that nobody has registered: drafts of their documents are among the files. */
  readonly unregistered: readonly string[];
}

export interface SuggestOptions {
  readonly engine: Engine;
  readonly calls: readonly SeenCall[];
  /** As they are registered. */
  readonly tools: ReadonlyMap<string, ToolDocument>;
  readonly byLabels: boolean;
  /** Where the calls come from, in words. */
  readonly source: string;
}

/** The paths whose values are kept from readers: by a tool's document now, or by what was recorded of its calls. */
function redactedPaths({ calls, tools }: Pick<SuggestOptions, "calls" | "tools">): (tool: string) => readonly string[] {
  const paths = new Map([...tools].map(([name, { spec }]) => [name, new Set(spec.redact ?? [])]));
  for (const { tool, redacted } of calls) {
    if (redacted.length === 0) continue;
    const known = paths.get(tool) ?? new Set();
    paths.set(tool, known);
    for (const path of redacted) known.add(path);
  }
  return (tool) => [...(paths.get(tool) ?? [])];
}

function toolsText(tools: readonly ToolDocument[], registered: ReadonlyMap<string, ToolDocument>): string {
  return tools
    .map((tool) => {
      const known = registered.has(tool.metadata.name);
      const note = known
        ? "As it is registered."
        : "Nobody has registered it: say what it is and how much harm it can do.";
      return `# ${note}\n${jsonText(tool)}\n`;
    })
    .join("---\n");
}

/** Reads the drafted files back. Throws unless they compile together without a warning. */
function readBack(engine: Engine, files: readonly DraftFile[]): Documents {
  const { documents, problems } = engine.parseDocuments(files);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const whole = engine.compile({ policies, tools: documents.tools }, { strict: true });
  const [problem] = [...problems, ...whole.problems];
  if (problem) throw new Error(`a draft does not compile: ${engine.formatProblem(problem)}`);
  return documents;
}

/** One policy, compiled beside its tools and beside tools of which nothing is known. */
function compiledAlone(engine: Engine, document: PolicyDocument, tools: readonly ToolDocument[]) {
  const compile = (beside: readonly ToolDocument[]) => {
    const { compiled } = engine.compile({ policies: [{ document, version: 1 }], tools: beside });
    if (!compiled) throw new Error(`the draft ${document.metadata.name} does not compile by itself`);
    return compiled;
  };
  const bare = compile(tools.map(({ metadata }) => bareTool(metadata.name)));
  const plain = tools.every(({ spec }) => !spec.inputSchema && !spec.contextSchema && !spec.status);
  return { bare, compiled: plain ? bare : compile(tools) };
}

/**
 * Drafts the least that allows all of the calls: policies, tests and the tools that they are about. Pure. The calls must
 * fit their tools' schemas, and no two of the policies' rules are about the same agent and tool.
 */
export function suggest({ engine, calls, tools, byLabels, source }: SuggestOptions): Suggestion {
  const redacted = redactedPaths({ calls, tools });
  const policies = draftPolicies({ engine, calls, byLabels, redacted });
  const names = [...new Set(calls.map(({ tool }) => tool))].sort();
  const unregistered = names.filter((name) => !tools.has(name));
  const documents = names.map((name) => tools.get(name) ?? bareTool(name));
  const policyFiles = policies.map((policy) => ({ file: `${policy.name}.yaml`, text: policyText(policy, source) }));
  const toolFile = { file: "tools.yaml", text: toolsText(documents, tools) };
  const read = readBack(engine, [...policyFiles, toolFile]);
  const tests = policies.map((policy): DraftFile => {
    const document = read.policies.find(({ metadata }) => metadata.name === policy.name);
    if (!document) throw new Error(`the draft ${policy.name} cannot be read back`);
    const own = new Set(policy.rules.map(({ rule }) => rule.tool));
    const alone = compiledAlone(
      engine,
      document,
      documents.filter(({ metadata }) => own.has(metadata.name)),
    );
    const seen = policy.rules.flatMap(({ rule }) => rule.examples);
    const stopped = seen.find((call) => engine.evaluate(alone.bare, factsOf(call)).effect !== "allow");
    // What is written in the head of the file must hold.
    if (stopped) throw new Error(`a draft stops a call of ${stopped.tool} that it was drafted from`);
    return { file: `${policy.name}_test.yaml`, text: testText(policy, { engine, tools, redacted, ...alone }) };
  });
  const files = [...policyFiles.flatMap((file, at) => [file, ...tests.slice(at, at + 1)]), toolFile];
  return { policies, files: files.filter(({ text }) => text !== ""), unregistered };
}
