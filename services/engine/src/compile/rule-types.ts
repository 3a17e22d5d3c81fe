import type { Way } from "../cel/place.ts";
import { type Shape, summaryOf } from "../typing/shape.ts";
import type { ToolTypes } from "../typing/tool-types.ts";
import type { PlacedRule } from "./compile-policy.ts";
import { sameItems } from "./same-items.ts";

/** Whether a rule that was compiled for some tools would compile to the same for those that it matches now. */
export function compilesAlike({ types, reads, complaints }: PlacedRule, now: ToolTypes | undefined): boolean {
  if (types === now) return true;
  if (!types || !now) return false;
  if (sameItems(types.tools, now.tools)) return true;
  // A complaint speaks of the tools.
  if (complaints.length > 0) return false;
  return reads.every(({ places }) =>
    places.every(({ steps, shape }) => {
      const found = shapeAt(now, steps);
      return found === shape || (found && shape && summaryOf(found) === summaryOf(shape));
    }),
  );
}

function shapeAt(types: ToolTypes, [root, ...steps]: Way): Shape | undefined {
  let shape: Shape | undefined = root === "context" ? types.context : types.input;
  for (const step of steps) shape = step === null ? shape?.item() : shape?.property(step);
  return shape;
}
