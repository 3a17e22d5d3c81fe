import type { JsonObject, JsonValue } from "@remit/engine";
import type { ValueBound } from "./value-bound.ts";

/** A place in the inputs of a tool, or in the elements of a list of them. */
export interface Place {
  readonly expression: string;
  /** The argument as people name it: `to`, `user.name`; empty for the whole. */
  readonly argument: string;
  /** From the whole. */
  readonly keys: readonly string[];
  /** Where one of these holds, nothing is asked: the argument, or what it is part of, is not there. */
  readonly exempt: readonly string[];
  /** How many macros it stands in. */
  readonly macros: number;
  /** Whether the values of a path were not kept, so that nothing is known of them. */
  readonly hidden: (keys: readonly string[]) => boolean;
}

export interface Condition {
  readonly text: string;
  readonly stops: string;
  readonly wider: string | undefined;
  /** The argument that must be there; undefined where it may be missing. */
  readonly needs: string | undefined;
  /** What was seen, changed in this one respect, so that the condition stops it; nothing where the place is not in it. */
  readonly breaks: (seen: JsonValue) => readonly JsonValue[];
}

const isMap = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function valueAt(value: JsonValue, keys: readonly string[]): JsonValue | undefined {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (!isMap(value) || !Object.hasOwn(value, key)) return undefined;
  return valueAt(value[key] ?? null, rest);
}

/** A value with another one at a place, or without it when that is undefined. */
function replacedAt(value: JsonValue, keys: readonly string[], other: JsonValue | undefined): JsonValue {
  const [key, ...rest] = keys;
  if (key === undefined) return other ?? null;
  if (!isMap(value)) return value;
  const entries = Object.entries(value).flatMap(([name, held]): [string, JsonValue][] => {
    if (name !== key) return [[name, held]];
    if (rest.length > 0) return [[name, replacedAt(held, rest, other)]];
    return other === undefined ? [] : [[name, other]];
  });
  return Object.fromEntries(entries);
}

/** A bound at its place: what is not there is exempt, where it may be missing. */
export function conditionAt({ expression, keys, exempt, argument }: Place, bound: ValueBound): Condition {
  const named = argument === "" ? "" : `${argument} `;
  const mustBeThere = exempt.length === 0 && keys.length > 0;
  return {
    text: exempt.length === 0 ? bound.text : [...exempt, `(${bound.text})`].join(" || "),
    stops: `${named}${bound.stops}`,
    wider: bound.wider && (argument === "" ? bound.wider : `${argument}: ${bound.wider}`),
    needs: mustBeThere ? argument : undefined,
    breaks: (seen) => {
      const value = valueAt(seen, keys);
      if (value === undefined || (value === null && exempt.includes(`${expression} == null`))) return [];
      const changed = bound.refused(value).map((other) => replacedAt(seen, keys, other));
      return mustBeThere ? [...changed, replacedAt(seen, keys, undefined)] : changed;
    },
  };
}
