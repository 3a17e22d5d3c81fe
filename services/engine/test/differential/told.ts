import type { Difference, Tally } from "./run.ts";

/** A difference as somebody needs it who looks for its cause. */
export function toldDifference({ world, facts, differs, engine, naive }: Difference): string {
  const tool = world.tools.find(({ metadata }) => metadata.name === facts.call.tool);
  return [
    `differs in: ${differs.join(", ")}`,
    `engine: ${JSON.stringify(engine)}`,
    `naive:  ${JSON.stringify(naive)}`,
    `tool: ${JSON.stringify(tool)}`,
    ...world.policies.map(({ document, version }) => `policy, version ${version}: ${JSON.stringify(document)}`),
    `facts: ${JSON.stringify(facts)}`,
  ].join("\n");
}

/** The distribution of a run by effect and code, the commonest first. */
export function toldTally({ cases, worlds, rejected, unknown, would, codes }: Tally): string {
  const share = (count: number) => `${((100 * count) / Math.max(cases, 1)).toFixed(2).padStart(6)} %`;
  return [
    `${cases} cases in ${worlds} worlds (${rejected} refused when compiled)`,
    ...[...codes].sort(([, one], [, other]) => other - one).map(([code, count]) => `${share(count)}  ${code}`),
    `${share(unknown)}  with a rule that is unknown`,
    `${share(would)}  with what would have been`,
  ].join("\n");
}
