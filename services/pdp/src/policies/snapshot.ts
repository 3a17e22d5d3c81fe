import { type AgentDocument, type Compiled, compile, type Problem, type ToolDocument } from "@remit/engine";
import { canonical, type Json } from "../foundation/canonical.ts";
import { digest } from "../foundation/digest.ts";
import type { ActivePolicy, Registered, Revisions, TenantRows } from "./policy-store.ts";
import { schemaDigest } from "./schema-digest.ts";
import type { TenantSettings } from "./settings.ts";

/** A tenant's settings, policies, tools and agents at one revision. Immutable: a change is another snapshot. */
export interface Snapshot {
  readonly tenant: string;
  readonly revisions: Revisions;
  readonly settings: TenantSettings;
  readonly compiled: Compiled;
  /** Of the active policies and the tools they judge: what a replay needs. `sha256:<hex>` */
  readonly policyDigest: string;
  readonly agents: ReadonlyMap<string, AgentDocument>;
  readonly tools: ReadonlyMap<string, Registered<ToolDocument>>;
  readonly policies: readonly ActivePolicy[];
  /** Why the newest rows did not compile, when the last good policies are still in force. */
  readonly broken?: readonly Problem[];
}

function setDigest(rows: TenantRows): string {
  const policies = rows.policies.map(({ document, version, digest: text }) => ({
    policy: document.metadata.name,
    version,
    digest: text,
  }));
  const tools = rows.tools.map(({ document, digest: text }) => ({ tool: document.metadata.name, digest: text }));
  const order = (a: Json, b: Json) => (canonical(a) < canonical(b) ? -1 : 1);
  return digest("policy-set", canonical({ policies: policies.sort(order), tools: tools.sort(order) }));
}

/**
 * Compiles a tenant's rows. Rows that do not compile leave the policies of `last` in force, under the new revisions
 * and settings and with the new agents: what was taken from an agent is taken, whatever became of a policy.
 */
export function buildSnapshot(tenant: string, rows: TenantRows, last: Snapshot | undefined): Snapshot {
  const agents = new Map(rows.agents.map(({ document }) => [document.metadata.name, document]));
  const { compiled, problems } = compile({
    policies: rows.policies,
    tools: rows.tools.map(({ document }) => document),
    schemaDigest,
  });
  const common = { tenant, revisions: rows.revisions, settings: rows.settings, agents };
  if (compiled) {
    const tools = new Map(rows.tools.map((tool) => [tool.document.metadata.name, tool]));
    return { ...common, compiled, tools, policies: rows.policies, policyDigest: setDigest(rows) };
  }
  if (!last) throw new Error(`the policies of tenant ${tenant} do not compile: ${problems[0]?.message ?? "no reason"}`);
  const { compiled: good, policyDigest, tools, policies } = last;
  return { ...common, compiled: good, tools, policies, policyDigest, broken: problems };
}
