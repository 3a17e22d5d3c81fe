import type { AgentDocument, Mode } from "@remit/engine";
import type { Snapshot } from "../policies/index.ts";

/**
 * Whether what is decided on a call binds its caller. What names the call comes first: its agent's document and its
 * tool's. Where one of them says `enforce` that stands, else an `observe` of either. Called for every decision, whatever
 * made it: what a policy says, or that the call was made before.
 */
export function modeOf(snapshot: Pick<Snapshot, "tools">, agent: AgentDocument | undefined, tool: string): Mode {
  const byAgent = agent?.spec.mode;
  const byTool = snapshot.tools.get(tool)?.document.spec.mode;
  if (byAgent === "enforce" || byTool === "enforce") return "enforce";
  return byAgent ?? byTool ?? "enforce";
}
