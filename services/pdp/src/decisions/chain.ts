import type { Scope } from "@remit/engine";
import { limits } from "../foundation/limits.ts";
import { endedBecause, type Link, type Session } from "../identities/index.ts";
import type { Snapshot } from "../policies/index.ts";
import { type Finding, refusal } from "./finding.ts";

/**
 * What binds a session beside its policies: everything that any link of its chain lost, it lost too. Asked at every
 * decision, with what is in force then, so a link that is narrowed, suspended or ended later reaches everything under it.
 */

type Bound = Pick<Link, "agent" | "scope">;

/** The links of a chain from the root down, the session itself last. */
export function linksOf(session: Session): readonly Bound[] {
  return session.ancestors.length === 0 ? [session] : [...session.ancestors, session];
}

function acts(snapshot: Snapshot, name: string): boolean {
  const agent = snapshot.agents.get(name);
  return agent !== undefined && agent.spec.status !== "suspended";
}

/** What ended a session, or stops a link of its chain, or makes the chain longer than it may be now. */
export function barredChain(snapshot: Snapshot, session: Session, nowMs: number): Finding | undefined {
  const ended = endedBecause(session, nowMs);
  if (ended) return refusal(ended, "This session has ended. Open a new one to go on.");
  if (!acts(snapshot, session.agent)) {
    return refusal("agent_suspended", "This agent may not act now. Its owner can say why.");
  }
  if (session.depth === 0) return undefined;
  const stopped = session.ancestors.find(({ agent }) => !acts(snapshot, agent));
  if (stopped) {
    return refusal("agent_suspended", `The agent ${stopped.agent}, which this work comes from, may not act now.`);
  }
  return tooDeep(snapshot, session.ancestors, session.depth)
    ? refusal("depth_exceeded", "This work was handed on more often than it may be.")
    : undefined;
}

/** How many delegations may lie below a session that was opened, in this tenant now. */
export function delegationDepthMax(snapshot: Snapshot): number {
  return Math.min(snapshot.settings.quotas.delegationDepth ?? limits.delegationDepthDefault, limits.delegationDepthMax);
}

/** Whether a session of this depth lies too deep under these links: for its tenant, or for what one of them allows. */
export function tooDeep(snapshot: Snapshot, above: readonly Bound[], depth: number): boolean {
  if (depth > delegationDepthMax(snapshot)) return true;
  return above.some(({ agent, scope }, at) => {
    const ceiling = snapshot.agents.get(agent)?.spec.ceiling;
    const most = Math.min(ceiling?.maxDepth ?? limits.delegationDepthMax, scope?.maxDepth ?? limits.delegationDepthMax);
    return depth - at > most;
  });
}

/** The ceilings of the groups that a principal is a member of. */
function principalCeilings({ ceilings }: Snapshot, { principal }: Session): readonly Scope[] | undefined {
  return ceilings.size === 0 ? undefined : ceilings.get(principal.id);
}

/**
 * Every scope that binds a session: of each link of its chain, and the ceiling that the agent of each has now, and those
 * of the groups of its principal. All must permit.
 */
export function scopesOf(snapshot: Snapshot, session: Session): Scope[] {
  const scopes: Scope[] = [];
  for (const link of session.ancestors) addScopes(scopes, snapshot, link);
  addScopes(scopes, snapshot, session);
  const ceilings = principalCeilings(snapshot, session);
  if (ceilings) scopes.push(...ceilings);
  return scopes;
}

function addScopes(scopes: Scope[], snapshot: Snapshot, { agent, scope }: Bound): void {
  const ceiling = snapshot.agents.get(agent)?.spec.ceiling;
  if (ceiling) scopes.push(ceiling);
  if (scope) scopes.push(scope);
}
