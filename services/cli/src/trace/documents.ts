import type { Documents } from "@remit/engine";
import type { Document } from "../document-files.ts";
import { usage } from "../stop.ts";

export const TRACE_AGENT = "trace";

/** A tool that a log calls and no document registers: nothing is known of it. */
export function unclassifiedTool(name: string): Document {
  const document = { apiVersion: "remit/v1", kind: "Tool", metadata: { name }, spec: { risk: "unclassified" } };
  return { kind: "tool", name, file: `the tool ${name}`, text: JSON.stringify(document) };
}

/** The agent that makes the calls of a log when no document brings one: it may call anything, policy permitting. */
export function traceAgent(): Document {
  const spec = { ceiling: { tools: ["*"] } };
  const document = { apiVersion: "remit/v1", kind: "Agent", metadata: { name: TRACE_AGENT }, spec };
  return { kind: "agent", name: TRACE_AGENT, file: `the agent ${TRACE_AGENT}`, text: JSON.stringify(document) };
}

/** Which agent makes the calls: the one that was named, the only one of the documents, or `trace`. */
export function chooseAgent(documents: Documents, named: string | undefined): string {
  const names = documents.agents.map(({ metadata }) => metadata.name);
  if (named !== undefined) {
    if (named === TRACE_AGENT || names.includes(named)) return named;
    throw usage(`no document brings the agent ${named}`, `--agent takes one of: ${[...names, TRACE_AGENT].join(", ")}`);
  }
  if (names.length > 1 && !names.includes(TRACE_AGENT)) {
    throw usage(
      `the documents bring several agents: ${names.join(", ")}`,
      `say which makes the calls: --agent ${names[0]}`,
    );
  }
  return names.includes(TRACE_AGENT) ? TRACE_AGENT : (names[0] ?? TRACE_AGENT);
}
