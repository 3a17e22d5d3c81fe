import type { RuleDocument } from "../../src/documents/policy.ts";
import type { Facts, PolicyDocument, ToolDocument } from "../../src/index.ts";
import type { Flaw } from "./flaws.ts";

/** Whether a rule names a tool, by the definition of each selector. */
export function namesTool({ match }: RuleDocument, { metadata, spec }: ToolDocument, flaw?: Flaw): boolean {
  const fits = (globs: readonly string[] | undefined, name: string | undefined) =>
    globs === undefined || (name !== undefined && globs.some((glob) => globFits(glob, name, flaw)));
  if (!fits(match.tools, metadata.name)) return false;
  if (flaw !== "server-is-ignored" && !fits(match.servers, spec.server)) return false;
  return flaw === "risk-is-ignored" || match.risk === undefined || match.risk.includes(spec.risk);
}

/** A glob by its definition: a star eats any number of characters. */
export function globFits(glob: string, name: string, flaw?: Flaw): boolean {
  if (glob === "") return name === "";
  if (glob[0] !== "*") return name !== "" && glob[0] === name[0] && globFits(glob.slice(1), name.slice(1), flaw);
  if (flaw === "glob-ends-at-its-star") return true;
  return globFits(glob.slice(1), name) || (name !== "" && globFits(glob, name.slice(1)));
}

/** Whether a policy is there for an agent: the agent carries every label that it wants. */
export function appliesTo({ spec }: PolicyDocument, { agent }: Facts, flaw?: Flaw): boolean {
  const wanted = Object.entries(spec.appliesTo?.agents.matchLabels ?? {});
  if (flaw === "label-is-ignored") wanted.splice(1);
  return wanted.every(([key, value]) => Object.hasOwn(agent.labels, key) && agent.labels[key] === value);
}
