import type { AgentDocument, Mode } from "@remit/engine";
import type { Snapshot } from "../policies/index.ts";

type Labels = Readonly<Record<string, string>>;

const carries = (labels: Labels, wanted: Labels) =>
  Object.entries(wanted).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);

/**
 * Whether what is decided on a call binds its caller. What names the call comes first: its agent's document, its tool's,
 * and the tenant's selectors of observed agents. Where one of them says `enforce` that stands, else an `observe` of any;
 * where none speaks, the tenant's own mode. Called for every decision, whatever made it: what a policy says, or that the
 * call was made before.
 */
export function modeOf(
  { tools, settings }: Pick<Snapshot, "tools" | "settings">,
  agent: AgentDocument | undefined,
  tool: string,
): Mode {
  const byAgent = agent?.spec.mode;
  const byTool = tools.get(tool)?.document.spec.mode;
  if (byAgent === "enforce" || byTool === "enforce") return "enforce";
  if (byAgent || byTool) return "observe";
  const { mode, observeAgents } = settings;
  if (mode === "observe" || observeAgents.length === 0) return mode;
  const labels = agent?.spec.labels ?? {};
  return observeAgents.some((selector) => carries(labels, selector)) ? "observe" : "enforce";
}
