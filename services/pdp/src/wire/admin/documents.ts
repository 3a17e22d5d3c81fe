import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type AgentDocument, parseDurationMs, type Risk, type ToolDocument } from "@remit/engine";
import {
  type GetToolRequest,
  type GetToolResponse,
  GetToolResponseSchema,
  type ListAgentsRequest,
  type ListAgentsResponse,
  ListAgentsResponseSchema,
  type ListToolsRequest,
  type ListToolsResponse,
  ListToolsResponseSchema,
  type PutAgentRequest,
  type PutAgentResponse,
  PutAgentResponseSchema,
  type PutToolRequest,
  type PutToolResponse,
  PutToolResponseSchema,
} from "@remit/proto/admin";
import { Risk as WireRisk } from "@remit/proto/common";
import { revisionNumber } from "../../decisions/index.ts";
import { canonicalInSlices } from "../../foundation/canonical-in-slices.ts";
import { Fault } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import { schemaDigestInSlices } from "../../policies/index.ts";
import type { Unary } from "../call.ts";
import { requiredText } from "../convert/fields.ts";
import { problemsToWire, sourceFrom } from "../convert/problem.ts";
import { scopeToWire } from "../convert/scope.ts";
import { CHANGES } from "./change.ts";
import type { AdminDesk } from "./desk.ts";
import { documentPage } from "./pages.ts";

const RISKS: Readonly<Record<Risk, WireRisk>> = {
  unclassified: WireRisk.UNCLASSIFIED,
  read: WireRisk.READ,
  write: WireRisk.WRITE,
  destructive: WireRisk.DESTRUCTIVE,
};

function agentToWire({ metadata, spec }: AgentDocument) {
  const { name, owner } = metadata;
  const { labels, ceiling, status, mode = "" } = spec;
  return { name, owner: owner ?? "", labels: { ...labels }, ceiling: scopeToWire(ceiling), status, mode };
}

function costToWire({ cost, tolerance }: ToolDocument["spec"]) {
  const costs = cost === undefined || cost === "none" ? [] : cost;
  return {
    cost: costs.filter((one) => "value" in one).map((amount) => ({ ...amount })),
    costExpressions: costs.filter((one) => "expression" in one).map((one) => ({ ...one })),
    costsNothing: cost === "none",
    ...(typeof tolerance === "string"
      ? { toleranceShare: tolerance }
      : { tolerance: (tolerance ?? []).map((amount) => ({ ...amount })) }),
  };
}

async function toolToWire({ metadata, spec }: ToolDocument) {
  const { server, risk, labels, inputSchema, contextSchema, description, timeout } = spec;
  const timeoutMs = timeout === undefined ? undefined : parseDurationMs(timeout);
  return {
    name: metadata.name,
    server: server ?? "",
    risk: RISKS[risk],
    labels: { ...labels },
    schemaDigest: await schemaDigestInSlices(inputSchema, turnOfTheLoop),
    description: description ?? "",
    mode: spec.mode ?? "",
    ...costToWire(spec),
    maximum: (spec.maximum ?? []).map((amount) => ({ ...amount })),
    redact: [...(spec.redact ?? [])],
    outputLabels: [...(spec.outputLabels ?? [])],
    status: spec.status ?? "active",
    idempotentOn: [...(spec.idempotentOn ?? [])],
    offeredSchemaDigest: spec.offeredSchema ?? "",
    contextSchemaDigest: await schemaDigestInSlices(contextSchema, turnOfTheLoop),
    ...(timeoutMs !== undefined && { timeout: durationFromMs(timeoutMs) }),
  };
}

/** `AgentService` and `ToolService`. */
export interface DocumentRpcs {
  readonly putAgent: Unary<PutAgentRequest, PutAgentResponse>;
  readonly listAgents: Unary<ListAgentsRequest, ListAgentsResponse>;
  readonly putTool: Unary<PutToolRequest, PutToolResponse>;
  readonly listTools: Unary<ListToolsRequest, ListToolsResponse>;
  readonly getTool: Unary<GetToolRequest, GetToolResponse>;
}

export function documentRpcs(desk: AdminDesk): DocumentRpcs {
  return {
    async putAgent(request, call) {
      const caller = desk.caller(call);
      const put = await desk.registry.putAgent(caller, sourceFrom(request.document, "document"), request.dryRun);
      return create(PutAgentResponseSchema, {
        ...(put.document && { agent: agentToWire(put.document) }),
        problems: await problemsToWire(put.problems),
        revision: put.revision,
        change: CHANGES[put.effect],
      });
    },
    async listAgents(request, call) {
      const { tenant } = desk.caller(call);
      const { items: agents, nextPageToken } = await documentPage(desk, tenant, "agent", request, {
        held: (snapshot) => snapshot.agents,
        toWire: agentToWire,
      });
      return create(ListAgentsResponseSchema, { agents, nextPageToken });
    },
    async putTool(request, call) {
      const caller = desk.caller(call);
      const put = await desk.registry.putTool(caller, sourceFrom(request.document, "document"), request.dryRun);
      return create(PutToolResponseSchema, {
        ...(put.document && { tool: await toolToWire(put.document) }),
        problems: await problemsToWire(put.problems),
        revision: put.revision,
        change: CHANGES[put.effect],
      });
    },
    async listTools(request, call) {
      const { tenant } = desk.caller(call);
      const { items: tools, nextPageToken } = await documentPage(desk, tenant, "tool", request, {
        held: (snapshot) => snapshot.tools,
        toWire: ({ document }) => toolToWire(document),
      });
      return create(ListToolsResponseSchema, { tools, nextPageToken });
    },
    async getTool(request, call) {
      const caller = desk.caller(call);
      const name = requiredText(request.name, "name", limits.toolNameBytesMax);
      const { tools, revisions } = await desk.snapshots.current(caller.tenant);
      const document = tools.get(name)?.document;
      if (!document) {
        throw new Fault("missing", "tool_unknown", `no tool ${name} is registered`, {
          field: "name",
          fix: "list the tools; register one with `remit apply`: a document of kind Tool",
        });
      }
      return create(GetToolResponseSchema, {
        tool: await toolToWire(document),
        document: await canonicalInSlices(document, turnOfTheLoop),
        revision: revisionNumber(revisions),
      });
    },
  };
}
