import type { Link, Session } from "../identities/index.ts";
import { isHalted, type Snapshot } from "../policies/index.ts";
import { type Finding, refusal } from "./finding.ts";

const NO_LABELS = {};

/** What was revoked of one link of a chain. In order of precedence. */
function linkRevoked(
  { revoked, agents }: Snapshot,
  { id, agent, labels }: Pick<Link, "id" | "agent" | "labels">,
): Finding | undefined {
  if (revoked.sessions.has(id)) {
    return refusal("session_revoked", "This session was revoked: nothing runs in it any more.");
  }
  if (revoked.agents.has(agent)) {
    return refusal("agent_suspended", `The agent ${agent} was revoked and may not act. An operator can say why.`);
  }
  if (!isHalted(revoked, agents.get(agent)?.spec.labels ?? NO_LABELS, labels)) return undefined;
  return refusal("halted", "An operator has halted this. Nothing of it runs until the halt is released.");
}

/**
 * What was revoked of a session, or of anything above it, as the snapshot has it: whatever was read of the session, and
 * whenever. Costs nothing while nothing is revoked.
 */
export function revokedBecause(snapshot: Snapshot, session: Session): Finding | undefined {
  const { revoked } = snapshot;
  if (!revoked.some) return undefined;
  if (revoked.principals.has(session.principal.id)) {
    return refusal("principal_suspended", "Nothing may be done for this principal now. An operator can say why.");
  }
  for (const link of session.ancestors) {
    const found = linkRevoked(snapshot, link);
    if (found) return found;
  }
  return linkRevoked(snapshot, session);
}

/** That a tool was revoked. */
export function toolRevoked({ revoked }: Snapshot, tool: string): Finding | undefined {
  if (!revoked.some || !revoked.tools.has(tool)) return undefined;
  return refusal("tool_suspended", "This tool may not be called now. An operator can say why.");
}
