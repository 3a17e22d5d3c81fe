import { type StaticType, typeWord, typeWords } from "../cel/node.ts";
import { shownSteps, typesOfShape, type Way } from "../cel/place.ts";
import { nearestName } from "../documents/nearest.ts";
import type { Report } from "../documents/origin.ts";
import type { JsonValue } from "../json.ts";
import type { Shape } from "../typing/shape.ts";
import type { ToolTypes } from "../typing/tool-types.ts";
import type { Reads } from "./condition.ts";

/** What a transform would set: a literal, or a value of one of these types. */
type Set = { readonly literal: JsonValue } | { readonly types: readonly StaticType[] };

/** Compares what a transform sets with the schemas of the rule's tools. Answers what it asked them. */
export function checkSetting(
  keys: readonly string[],
  set: Set,
  pointer: string,
  { types, report }: { readonly types?: ToolTypes | undefined; readonly report?: Report },
): Reads["places"] {
  if (!types || !report) return [];
  const places: Reads["places"][number][] = [];
  let steps: Way = ["input"];
  let shape = types.input;
  for (const key of keys) {
    const next: Shape | undefined = shape.property(key);
    const shown = shownSteps([...steps, key]);
    places.push({ steps: [...steps, key], shape: next });
    if (!next) {
      const names = shape.names();
      const nearest = nearestName(key, names);
      report(pointer, `the input of ${types.owner} has no \`${shown}\``, {
        code: "path_unknown",
        atKey: true,
        expected: names.length > 0 ? names.map((name) => shownSteps([...steps, name])).join(", ") : undefined,
        nearest,
        ...(types.named || nearest !== undefined ? {} : { severity: "warning" }),
      });
      return places;
    }
    steps = [...steps, key];
    shape = next;
  }
  checkValue(shape, set, shownSteps(steps), (message, expected) =>
    report(pointer, message, { code: "type_contradicted", expected, ...(types.named ? {} : { severity: "warning" }) }),
  );
  return places;
}

function checkValue(
  shape: Shape,
  set: Set,
  shown: string,
  complain: (message: string, expected: string) => void,
): void {
  const possible = typesOfShape(shape);
  const given = "literal" in set ? literalTypes(set.literal) : set.types.flatMap(asJson);
  if (!possible.some((type) => type === "dyn" || given.includes(type) || given.includes("dyn"))) {
    complain(`\`${shown}\` cannot be ${typeWords(given.slice(0, 1))}`, possible.map(typeWord).join(" or "));
    return;
  }
  if (!("literal" in set) || typeof set.literal === "object" || !shape.values) return;
  if (!shape.values.includes(set.literal)) {
    const listed = shape.values.slice(0, 20).map((value) => JSON.stringify(value));
    complain(`\`${shown}\` is never ${JSON.stringify(set.literal)}`, listed.join(", "));
  }
}

/** A whole number fits where an int and where a double belongs. */
function literalTypes(value: JsonValue): StaticType[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return ["list"];
  if (typeof value === "object") return ["map"];
  if (typeof value === "number") return Number.isInteger(value) ? ["int", "double"] : ["double"];
  return [typeof value === "boolean" ? "bool" : "string"];
}

function asJson(type: StaticType): readonly StaticType[] {
  if (type === "timestamp" || type === "duration") return ["string"];
  // A double may be whole, and an int is a number.
  return type === "int" || type === "double" ? ["int", "double"] : [type];
}
