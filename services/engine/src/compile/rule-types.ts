import type { Way } from "../cel/place.ts";
import { type Shape, summaryOf } from "../typing/shape.ts";
import type { ToolTypes } from "../typing/tool-types.ts";
import type { PlacedRule } from "./compile-policy.ts";
import type { Reads } from "./condition.ts";

/** What was found out about variables of a policy, which many of its rules use. */
export type VariablesAlike = Map<ToolTypes, Map<Reads, boolean>>;

/** Whether a rule that was compiled for some tools would compile to the same for those that it matches now. */
export function compilesAlike(
  { types, reads, complaints }: PlacedRule,
  now: ToolTypes | undefined,
  variables: VariablesAlike,
): boolean {
  if (types === now) return true;
  if (!types || !now) return false;
  // A complaint speaks of the tools.
  if (complaints.length > 0) return false;
  const known = variables.get(now) ?? new Map<Reads, boolean>();
  variables.set(now, known);
  return reads.every((read) => readsAlike(read, now, known));
}

function readsAlike(reads: Reads, now: ToolTypes, known: Map<Reads, boolean>): boolean {
  const same = reads.places.every(({ steps, shape }) => {
    const found = shapeAt(now, steps);
    return found === shape || (found && shape && summaryOf(found) === summaryOf(shape));
  });
  return same && reads.variables.every((variable) => variableAlike(variable, now, known));
}

function variableAlike(variable: Reads, now: ToolTypes, known: Map<Reads, boolean>): boolean {
  const before = known.get(variable);
  if (before !== undefined) return before;
  const same = readsAlike(variable, now, known);
  known.set(variable, same);
  return same;
}

function shapeAt(types: ToolTypes, [root, ...steps]: Way): Shape | undefined {
  let shape: Shape | undefined = root === "context" ? types.context : types.input;
  for (const step of steps) shape = step === null ? shape?.item() : shape?.property(step);
  return shape;
}
