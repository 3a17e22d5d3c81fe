import type { Documents, JsonObject, ToolDocument } from "@remit/engine";
import type { TracedCall } from "../trace/trace-line.ts";
import { type Compiled, type Engine, factsOf } from "./facts.ts";
import type { Candidate } from "./gather.ts";
import type { SeenCall } from "./seen-call.ts";

/** What the policies of documents would say to a call; undefined where there are none. */
function judge(engine: Engine, documents: Documents, compiled: Compiled) {
  return (call: SeenCall): Candidate["would"] => {
    const ceiling = documents.agents.find(({ metadata }) => metadata.name === call.agent.id)?.spec.ceiling;
    const facts = factsOf(call);
    const { effect, code } = engine.evaluate(compiled, {
      ...facts,
      scopes: ceiling ? [ceiling] : facts.scopes,
    });
    return { effect, code };
  };
}

/** A log, who made its calls for whom, and the documents that are in force already. */
export interface Log {
  readonly calls: readonly TracedCall[];
  readonly agent: string;
  readonly principalOf: (run: string) => string;
  readonly documents: Documents;
}

/** The calls of a log, and what the policies in force say to them. */
export function logCandidates(
  engine: Engine,
  { calls, agent, principalOf, documents }: Log,
): { candidates: Candidate[]; tools: Map<string, ToolDocument> } {
  const tools = new Map(documents.tools.map((tool) => [tool.metadata.name, tool]));
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled } = engine.compile({ policies, tools: documents.tools });
  const labels = documents.agents.find(({ metadata }) => metadata.name === agent)?.spec.labels ?? {};
  const wouldOf = policies.length > 0 && compiled ? judge(engine, documents, compiled) : () => undefined;
  const candidates = calls.map(({ run, tool, input, context }): Candidate => {
    const seen = {
      tool,
      agent: { id: agent, labels },
      input: input as JsonObject,
      context: context as JsonObject,
      principal: principalOf(run),
      redacted: [],
    };
    return { call: seen, would: wouldOf(seen) };
  });
  return { candidates, tools };
}
