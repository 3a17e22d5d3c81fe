import { nearestName } from "../documents/nearest.ts";
import { jsonTypes, type Shape } from "../typing/shape.ts";
import type { Frame } from "./frame.ts";
import { type Compiling, type Node, typeWords } from "./node.ts";
import { type Place, shownSteps, typesOfShape } from "./place.ts";

/** How many names a message lists. */
const namesMax = 20;

/** The place of `input` or `context`, where the tools of the condition are known. */
export function rootPlace(name: string, { types, consult }: Compiling): Place | undefined {
  if (!types || (name !== "input" && name !== "context")) return undefined;
  const shape = types[name];
  consult([name], shape);
  return { steps: [name], shape, at: ({ tool }) => tool[name] };
}

/**
 * The place below another under a name; undefined if that is not known, and "none", after a problem was noted, if no
 * schema lets anything be there.
 */
export function propertyPlace(
  of: Node,
  name: string,
  compiling: Compiling,
  offset: number,
): Place | "none" | undefined {
  const { place } = of;
  if (!place) return undefined;
  const shape = place.shape.property(name);
  const steps = [...place.steps, name];
  compiling.consult(steps, shape);
  if (!shape) {
    rejectName(name, place, compiling, offset);
    return "none";
  }
  return { steps, shape, at: (frame: Frame) => place.at(frame)?.property(name) };
}

function rejectName(name: string, place: Place, { problems, types }: Compiling, offset: number): void {
  const { steps, shape } = place;
  const names = shape.names();
  const listed = names.slice(0, namesMax).map((known) => shownSteps([...steps, known]));
  if (names.length > namesMax) listed.push(`and ${names.length - namesMax} more`);
  problems.push({
    offset,
    code: "path_unknown",
    message: `the ${steps[0]} of ${types?.owner} has no \`${shownSteps([...steps, name])}\``,
    expected: expectedBelow(place, listed),
    nearest: nearestName(name, names),
  });
}

function expectedBelow({ steps, shape }: Place, listed: readonly string[]): string | undefined {
  if (!(shape.types & jsonTypes.map)) return `${shownSteps(steps)} is ${typeWords(typesOfShape(shape))}, and no map`;
  return listed.length > 0 ? listed.join(", ") : undefined;
}

/** The place of a list's items; undefined if that is not known. */
export function itemPlace({ place }: Node, compiling: Compiling): Place | undefined {
  if (!place || place.shape.types & jsonTypes.map) return undefined;
  const shape: Shape | undefined = place.shape.item();
  const steps = [...place.steps, null];
  compiling.consult(steps, shape);
  return shape && { steps, shape, at: (frame) => place.at(frame)?.item() };
}
