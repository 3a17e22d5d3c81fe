import type { Problem, ToolDocument } from "@remit/engine";
import { assert } from "../foundation/assert.ts";
import { canonical, type Json } from "../foundation/canonical.ts";
import { digest } from "../foundation/digest.ts";
import type { ActivePolicy, Registered, TenantRows } from "./policy-store.ts";
import type { Snapshot } from "./snapshot.ts";

type Parts = Pick<Snapshot, "compiled" | "tools" | "policies" | "policyDigest">;
type Compilable = Pick<TenantRows, "policies" | "tools">;

const nameOf = ({ document }: { readonly document: { readonly metadata?: { readonly name?: unknown } } }): unknown =>
  document?.metadata?.name;

/** The same tool, of which no call runs: whatever its policies are compiled by stays. */
function suspended({ document }: Registered<ToolDocument>): Registered<ToolDocument> {
  const stopped: ToolDocument = { ...document, spec: { ...document.spec, status: "suspended" } };
  return { document: stopped, digest: digest("tool", canonical(stopped as unknown as Json)) };
}

/** What was compiled last, less what the newest rows have taken away: they do not compile, and what they took is taken. */
export async function lastGood(
  rows: Compilable,
  last: Parts,
  compile: (kept: Compilable) => Promise<Parts | readonly Problem[]>,
): Promise<Parts> {
  const { compiled, tools, policies, policyDigest } = last;
  const inForce = new Set(rows.policies.map(nameOf));
  const kept = policies.filter((policy: ActivePolicy) => inForce.has(nameOf(policy)));
  const running = new Set(
    rows.tools.filter(({ document }) => document?.spec?.status !== "suspended").map((row) => nameOf(row)),
  );
  const stops = (tool: Registered<ToolDocument>) =>
    tool.document.spec.status !== "suspended" && !running.has(nameOf(tool));
  const before = [...tools.values()];
  if (kept.length === policies.length && !before.some(stops)) return { compiled, tools, policies, policyDigest };
  const less = await compile({ policies: kept, tools: before.map((tool) => (stops(tool) ? suspended(tool) : tool)) });
  assert("compiled" in less, "what compiled goes on to without some of its policies");
  return less;
}
