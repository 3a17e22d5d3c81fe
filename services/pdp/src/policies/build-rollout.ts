import type { Compiled, Problem } from "@remit/engine";
import { lastGood } from "./last-good.ts";
import type { TenantRows } from "./policy-store.ts";
import { type Rollout, type RolloutRows, withRollout } from "./rollout.ts";
import type { Prepared, Snapshot } from "./snapshot.ts";

/** Compiles documents, of which those in `known` are compiled already. */
type CompileTried = (
  tried: Pick<TenantRows, "policies" | "tools">,
  known: Pick<Prepared, "compiled" | "policies" | "tools">,
) => Promise<Pick<Snapshot, "compiled" | "tools" | "policies" | "policyDigest"> | readonly Problem[]>;

/** What was compiled before, of what is in force and of the candidate: a policy that both have is there once. */
function compiledBefore({ compiled }: Snapshot, last: Rollout | undefined): Compiled {
  const policies = last?.candidate?.compiled.policies ?? [];
  return policies.length === 0 ? compiled : { ...compiled, policies: [...compiled.policies, ...policies] };
}

const sameItems = (some: readonly unknown[], others: readonly unknown[]) =>
  some.length === others.length && some.every((item, at) => item === others[at]);

/**
 * Compiles the versions of a rollout beside what is in force, with which they share all else. What does not compile leaves
 * the last good candidate of the same rollout, under the new revisions and settings, less what was taken since.
 */
export async function buildRollout(
  { id, shareBasisPoints, policies: rows }: RolloutRows,
  active: Snapshot,
  last: Rollout | undefined,
  compileTried: CompileTried,
): Promise<Rollout> {
  const before = last?.id === id ? last : undefined;
  // Versions never change: the documents that were compiled are taken again.
  const known = new Map(before?.policies.map((policy) => [policy.document.metadata.name, policy]));
  const tried = rows.map((row) => known.get(row.document.metadata.name) ?? row);
  const rollout = { id, shareBasisPoints, policies: tried };
  const policies = withRollout(active.policies, rollout);
  const { tenant, revisions, settings, agents, budgets, groups, ceilings, revoked, usable } = active;
  const common = { tenant, revisions, settings, agents, budgets, groups, ceilings, revoked, usable };
  const held = before?.candidate;
  const tools = [...active.tools.values()];
  if (held && sameItems(held.policies, policies) && sameItems([...held.tools.values()], tools)) {
    return { ...rollout, candidate: { ...held, ...common } };
  }
  const compiled = compiledBefore(active, before);
  const parts = await compileTried({ policies, tools }, { compiled, policies, tools: active.tools });
  if ("compiled" in parts) return { ...rollout, candidate: { ...common, ...parts } };
  if (!held) return { ...rollout, candidate: held, broken: parts };
  const kept = await lastGood({ policies, tools }, held, async (less) => compileTried(less, held));
  return { ...rollout, candidate: { ...held, ...common, ...kept }, broken: parts };
}
