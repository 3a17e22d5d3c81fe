import {
  type AgentDocument,
  type BudgetDocument,
  type Compiled,
  compile,
  type GroupDocument,
  type Problem,
  type ToolDocument,
} from "@remit/engine";
import { assert } from "../foundation/assert.ts";
import { Canonical, canonical, type Json } from "../foundation/canonical.ts";
import { digest } from "../foundation/digest.ts";
import { Fault } from "../foundation/fault.ts";
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
  readonly budgets: ReadonlyMap<string, Registered<BudgetDocument>>;
  readonly groups: ReadonlyMap<string, Registered<GroupDocument>>;
  readonly policies: readonly ActivePolicy[];
  /** Why the newest rows did not compile. The last good policies are still in force, if this process has any. */
  readonly broken?: readonly Problem[];
  /** False when it has none: nothing may be decided by this snapshot, and its `compiled` allows nothing. */
  readonly usable: boolean;
}

function setDigest(rows: Compilable): string {
  const policies = rows.policies.map(({ document, version, digest: text }) => ({
    policy: document.metadata.name,
    version,
    digest: text,
  }));
  const tools = rows.tools.map(({ document, digest: text }) => ({ tool: document.metadata.name, digest: text }));
  const sorted = (list: readonly Json[]) =>
    list
      .map(canonical)
      .sort()
      .map((text) => new Canonical(text));
  return digest("policy-set", canonical({ policies: sorted(policies), tools: sorted(tools) }));
}

/** What a row that cannot even be read is called: its text is for an administrator, not for a caller. */
function unreadable(error: unknown): Problem {
  const message = `a stored document cannot be read: ${error instanceof Error ? error.message : "unknown"}`;
  return { file: "", line: 0, column: 0, severity: "error", code: "document_unreadable", message };
}

type Parts = Pick<Snapshot, "compiled" | "tools" | "policies" | "policyDigest">;

type Compilable = Pick<TenantRows, "policies" | "tools">;

/** The rows with the very documents of `last` where they are the same: what was compiled of those is used again. */
function withKnown(rows: Compilable, last: Snapshot | undefined): Compilable {
  if (!last) return rows;
  const policies = new Map(last.policies.map((policy) => [policy.document.metadata.name, policy]));
  return {
    policies: rows.policies.map((row) => {
      const known = policies.get(row.document.metadata.name);
      return known?.digest === row.digest && known.version === row.version ? known : row;
    }),
    tools: rows.tools.map((row) => {
      const known = last.tools.get(row.document.metadata.name);
      return known?.digest === row.digest ? known : row;
    }),
  };
}

function compileRows(loaded: Compilable, last?: Snapshot): Parts | readonly Problem[] {
  try {
    const rows = withKnown(loaded, last);
    const documents = rows.tools.map(({ document }) => document);
    const source = { policies: rows.policies, tools: documents, schemaDigest };
    const { compiled, problems } = compile(source, { last: last?.compiled });
    if (!compiled) return problems;
    return { compiled, tools: byName(rows.tools), policies: rows.policies, policyDigest: setDigest(rows) };
  } catch (error) {
    return [unreadable(error)];
  }
}

const isNamed = ({ document }: Registered<{ readonly metadata?: { readonly name?: unknown } }>) =>
  typeof document?.metadata?.name === "string";

function byName<Document extends { readonly metadata: { readonly name: string } }>(
  rows: readonly Registered<Document>[],
): ReadonlyMap<string, Registered<Document>> {
  return new Map(rows.map((row) => [row.document.metadata.name, row]));
}

/** What is in force when nothing ever compiled here: no policy, and what its administrators need to mend that. */
function nothingInForce(rows: TenantRows): Parts {
  const parts = compileRows({ policies: [], tools: [] });
  assert("compiled" in parts, "no policies always compile");
  return { ...parts, tools: byName(rows.tools.filter(isNamed)), policies: rows.policies.filter(isNamed) };
}

/**
 * Compiles a tenant's rows. Rows that do not compile leave the policies of `last` in force, under the new revisions
 * and settings and with the new agents: what was taken from an agent is taken, whatever became of a policy. Without
 * a `last`, after a restart, nothing is decided until they are mended.
 */
export function buildSnapshot(tenant: string, rows: TenantRows, last: Snapshot | undefined): Snapshot {
  const agents = new Map(rows.agents.filter(isNamed).map(({ document }) => [document.metadata.name, document]));
  const declared = { budgets: byName(rows.budgets.filter(isNamed)), groups: byName(rows.groups.filter(isNamed)) };
  const common = { tenant, revisions: rows.revisions, settings: rows.settings, agents, ...declared };
  const parts = compileRows(rows, last);
  if ("compiled" in parts) return { ...common, ...parts, usable: true };
  if (!last?.usable) return { ...common, ...nothingInForce(rows), broken: parts, usable: false };
  const { compiled, policyDigest, tools, policies } = last;
  return { ...common, compiled, tools, policies, policyDigest, broken: parts, usable: true };
}

/** Refuses to decide by a snapshot that has no policies in force. */
export function requireUsable(snapshot: Snapshot): Snapshot {
  if (snapshot.usable) return snapshot;
  throw new Fault("unavailable", "policies_broken", "the stored policies of this tenant do not compile", {
    fix: "put policies or tools in force that compile together; the service's log says what is wrong with these",
  });
}
