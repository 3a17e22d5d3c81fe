import { create } from "@bufbuild/protobuf";
import type { AgentDocument, Risk, ToolDocument } from "@remit/engine";
import {
  Change,
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
import type { PutEffect } from "../../decisions/index.ts";
import { canonical, type Json } from "../../foundation/canonical.ts";
import { digest } from "../../foundation/digest.ts";
import type { Unary } from "../call.ts";
import { problemToWire, sourceFrom } from "../convert/problem.ts";
import { scopeToWire } from "../convert/session.ts";
import type { AdminDesk } from "./desk.ts";

const CHANGES: Readonly<Record<PutEffect, Change>> = {
  none: Change.NONE,
  created: Change.CREATED,
  replaced: Change.REPLACED,
};

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

function toolToWire({ metadata, spec }: ToolDocument) {
  const { server, risk, labels, inputSchema, description } = spec;
  return {
    name: metadata.name,
    server: server ?? "",
    risk: RISKS[risk],
    labels: { ...labels },
    schemaDigest: inputSchema ? digest("schema", canonical(inputSchema as Json)) : "",
    description: description ?? "",
    mode: spec.mode ?? "",
  };
}

/** `AgentService` and `ToolService`. */
export interface DocumentRpcs {
  readonly putAgent: Unary<PutAgentRequest, PutAgentResponse>;
  readonly listAgents: Unary<ListAgentsRequest, ListAgentsResponse>;
  readonly putTool: Unary<PutToolRequest, PutToolResponse>;
  readonly listTools: Unary<ListToolsRequest, ListToolsResponse>;
}

export function documentRpcs(desk: AdminDesk): DocumentRpcs {
  return {
    async putAgent(request, call) {
      const caller = await desk.caller(call, "operator");
      const put = await desk.registry.putAgent(caller, sourceFrom(request.document, "document"), request.dryRun);
      return create(PutAgentResponseSchema, {
        ...(put.document && { agent: agentToWire(put.document) }),
        problems: put.problems.map(problemToWire),
        revision: put.revision,
        change: CHANGES[put.effect],
      });
    },
    async listAgents(_request, call) {
      const caller = await desk.caller(call, "viewer");
      const { agents } = await desk.snapshots.current(caller.tenant);
      return create(ListAgentsResponseSchema, { agents: [...agents.values()].map(agentToWire) });
    },
    async putTool(request, call) {
      const caller = await desk.caller(call, "operator");
      const put = await desk.registry.putTool(caller, sourceFrom(request.document, "document"), request.dryRun);
      return create(PutToolResponseSchema, {
        ...(put.document && { tool: toolToWire(put.document) }),
        problems: put.problems.map(problemToWire),
        revision: put.revision,
        change: CHANGES[put.effect],
      });
    },
    async listTools(_request, call) {
      const caller = await desk.caller(call, "viewer");
      const { tools } = await desk.snapshots.current(caller.tenant);
      return create(ListToolsResponseSchema, {
        tools: [...tools.values()].map(({ document }) => toolToWire(document)),
      });
    },
  };
}
