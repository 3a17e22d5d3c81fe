import type { Amount } from "../amount.ts";
import type { Compiled } from "../compile/compile.ts";

/** What a call is expected to cost: what its caller says, and what its tool costs in the units that the caller left out. */
export function estimateFor(compiled: Compiled, tool: string, said: readonly Amount[]): readonly Amount[] {
  const cost = compiled.tools.get(tool)?.cost;
  if (!cost) return said;
  const unsaid = cost.filter(({ unit }) => said.every((amount) => amount.unit !== unit));
  return unsaid.length === 0 ? said : [...said, ...unsaid];
}
