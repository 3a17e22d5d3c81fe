import type { AgentDocument } from "./agent.ts";
import { modes } from "./mode.ts";
import { agentMetadata, labels } from "./read-names.ts";
import { readScope } from "./read-scope.ts";
import { oneOf, optional, type Reader, record, refined, required } from "./shape.ts";

const agentShape = record({
  apiVersion: required(oneOf(["remit/v1"])),
  kind: required(oneOf(["Agent"])),
  metadata: required(agentMetadata),
  spec: optional(
    record({
      labels: optional(labels),
      ceiling: optional(readScope),
      status: optional(oneOf(["active", "suspended"])),
      mode: optional(oneOf(modes)),
    }),
  ),
});

export const readAgent: Reader<AgentDocument> = refined(agentShape, (agent) => {
  const { ceiling = { tools: ["*"] }, status = "active", ...spec } = agent.spec ?? {};
  return { ...agent, spec: { ...spec, ceiling, status } };
});
