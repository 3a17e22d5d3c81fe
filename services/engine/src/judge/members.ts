import type { JsonValue } from "../json.ts";
import { hashOfText } from "../text-hash.ts";

/** Shorter lists are gone through. */
const indexedMin = 16;
/** Values that are compared one by one before one is found to be there or missing; more are no accident. */
const probesMax = 32;

type Literal = string | number | boolean;

/** Equal values have equal hashes. */
function hashOf(value: Literal): number {
  if (typeof value === "boolean") return value ? 1 : 2;
  return typeof value === "string" ? hashOfText(value) : hashOfText(String(value)) ^ 1;
}

/** By the hash of a value its place in the list, from 1; undefined where too many share theirs. */
function indexOf(values: readonly Literal[]): Uint32Array | undefined {
  const places = new Uint32Array(2 ** Math.ceil(Math.log2(values.length * 2)));
  const mask = places.length - 1;
  for (const [at, value] of values.entries()) {
    let slot = hashOf(value) & mask;
    for (let probes = 0; places[slot]; slot = (slot + 1) & mask) {
      if (values[(places[slot] ?? 0) - 1] === value) break;
      probes++;
      if (probes === probesMax) return undefined;
    }
    places[slot] ||= at + 1;
  }
  return places;
}

/**
 * Whether a value is one of these. Many bounds may have long lists, and a `Set` of each would be as much again as its
 * values, laid out at one moment: this keeps places in the list alone, outside what a collection moves.
 */
export function memberTest(values: readonly Literal[]): (value: JsonValue) => boolean {
  if (values.length < indexedMin) return (value) => values.includes(value as Literal);
  const places = indexOf(values);
  if (!places) {
    const members = new Set<JsonValue>(values);
    return (value) => members.has(value);
  }
  const mask = places.length - 1;
  return (value) => {
    if (value === null || typeof value === "object") return false;
    let slot = hashOf(value) & mask;
    for (let probes = 0; places[slot] && probes < probesMax; probes++) {
      if (values[(places[slot] ?? 0) - 1] === value) return true;
      slot = (slot + 1) & mask;
    }
    return false;
  };
}
