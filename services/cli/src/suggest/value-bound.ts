import type { JsonValue } from "@remit/engine";
import { number } from "./cel-text.ts";

/** A condition on one value that holds for everything that was seen, and the words for it. */
export interface ValueBound {
  readonly text: string;
  /** What is stopped: "other than …", "above …". */
  readonly stops: string;
  /** What passes without having been seen; undefined when nothing does. */
  readonly wider: string | undefined;
  /** Values that are stopped, made of one that was seen. */
  readonly refused: (seen: JsonValue) => readonly JsonValue[];
}

/** Between the least and the greatest. */
export function numberBound(expression: string, { min, max }: { min: number; max: number }): ValueBound {
  const next = (from: number, by: 1 | -1) => from + by * Math.max(1, Math.abs(from));
  const beyond = [next(max, 1), next(min, -1)].filter((value) => Math.abs(value) < Number.MAX_SAFE_INTEGER);
  const refused = () => beyond;
  if (min === max) {
    return { text: `${expression} == ${number(min)}`, stops: `other than ${min}`, wider: undefined, refused };
  }
  return {
    text: `${expression} >= ${number(min)} && ${expression} <= ${number(max)}`,
    stops: `below ${min} or above ${max}`,
    wider: `any number from ${min} to ${max}`,
    refused,
  };
}

export function boolBound(expression: string, seen: ReadonlySet<boolean>): ValueBound {
  const [only] = seen;
  if (seen.size > 1) {
    const stops = "that is not true or false";
    return { text: `type(${expression}) == bool`, stops, wider: undefined, refused: () => [0] };
  }
  const stops = `other than ${only}`;
  return { text: `${expression} == ${only}`, stops, wider: undefined, refused: () => [!only] };
}

export function nullBound(expression: string): ValueBound {
  return { text: `${expression} == null`, stops: "other than null", wider: undefined, refused: () => [0] };
}
