import type { PolicyDocument } from "@remit/engine";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { type ActivePolicy, quotaExceeded, type Snapshot, type Snapshots } from "../policies/index.ts";
import { revisionNumber } from "./decision.ts";

/** A document under the number of its version. */
export interface Versioned {
  readonly document: PolicyDocument;
  readonly version: number;
}

export const toolsOf = (snapshot: Snapshot) => [...snapshot.tools.values()].map(({ document }) => document);

const rulesOf = (policies: readonly Pick<Versioned, "document">[]) =>
  policies.reduce((rules, { document }) => rules + document.spec.rules.length, 0);

const bundlesOf = (policies: readonly Pick<Versioned, "document">[]) =>
  policies.filter(({ document }) => document.spec.language === "rego").length;

function tooManyPolicies(what: string): Fault {
  return new Fault("exhausted", "quota_exceeded", `the tenant may have no more than ${what} in force`, {
    limit: what,
    fix: "put what belongs together into one policy, or take some out of force",
    retryable: false,
  });
}

/** Refuses more policies, or rules in them, than the tenant may have. What makes them fewer is never refused. */
export function refuseTooMany(
  { settings }: Snapshot,
  before: readonly Pick<Versioned, "document">[],
  after: readonly Pick<Versioned, "document">[],
): void {
  const max = Math.min(settings.quotas.rules ?? limits.rulesMax, limits.rulesMax);
  const rules = rulesOf(after);
  if (rules > max && rules > rulesOf(before)) throw quotaExceeded("rules", max);
  const { policiesMax, regoPoliciesMax } = limits;
  if (after.length > policiesMax && after.length > before.length) throw tooManyPolicies(`${policiesMax} policies`);
  // None of their rules is counted, and each keeps a memory of its own.
  const bundles = bundlesOf(after);
  if (bundles > regoPoliciesMax && bundles > bundlesOf(before))
    throw tooManyPolicies(`${regoPoliciesMax} policies in Rego`);
}

/** What is in force with the chosen versions in their places. */
function withChosen(now: Snapshot, chosen: readonly ActivePolicy[]): ActivePolicy[] {
  const names = new Set(chosen.map(({ document }) => document.metadata.name));
  return [...now.policies.filter(({ document }) => !names.has(document.metadata.name)), ...chosen];
}

/**
 * Refuses versions that do not compile beside what else is in force and the tools of today, or are too many rules. What
 * it compiled is kept for the load after the change.
 */
export async function requireFit(snapshots: Snapshots, now: Snapshot, chosen: readonly ActivePolicy[]): Promise<void> {
  const policies = withChosen(now, chosen);
  refuseTooMany(now, now.policies, policies);
  const prepared = await snapshots.prepare(now, { policies, tools: [...now.tools.values()] });
  if (!("problems" in prepared)) return;
  throw new Fault("precondition", "policy_invalid", `together they do not compile: ${prepared.problems[0]?.message}`, {
    fix: "publish a version that fits the registered tools",
  });
}

/** The tenant is not at the revision that its caller goes by. */
export function movedOn(expected: bigint | undefined, now: Snapshot): Fault {
  const revision = revisionNumber(now.revisions);
  const was = expected === undefined ? "somebody else changed it at the same time" : `not ${expected}`;
  return new Fault("aborted", "revision_conflict", `the tenant is at revision ${revision}: ${was}`, {
    field: "expected_revision",
    limit: `${revision}`,
    fix: "list the policies, look at what changed, and ask again with the revision they are at",
  });
}
