import type { ConstraintsDocument } from "../documents/policy.ts";
import { parseDurationMs } from "../duration.ts";
import type { Constraint } from "../judge/verdict.ts";

/** A rule's constraints as typed values, in the order of their names. */
export function compileConstraints(document: ConstraintsDocument): Constraint[] {
  const { maxOutputBytes, redactOutput, requireIdempotencyKey, timeout } = document;
  const constraints: Constraint[] = [];
  if (maxOutputBytes !== undefined) constraints.push({ name: "maxOutputBytes", integer: maxOutputBytes });
  if (redactOutput !== undefined) constraints.push({ name: "redactOutput", strings: redactOutput });
  if (requireIdempotencyKey) constraints.push({ name: "requireIdempotencyKey", flag: true });
  if (timeout !== undefined) constraints.push({ name: "timeout", durationMs: parseDurationMs(timeout) ?? 0 });
  return constraints;
}

/**
 * One constraint a name, the strictest of all: the shortest timeout, the fewest bytes, every path to redact. Each kind
 * has such an order, so constraints never conflict.
 */
export function mergeConstraints(lists: readonly (readonly Constraint[])[]): readonly Constraint[] {
  const given = lists.filter((list) => list.length > 0);
  if (given.length <= 1) return given[0] ?? [];
  const merged = new Map<string, Constraint>();
  const redacted: (readonly string[])[] = [];
  for (const constraint of given.flat()) {
    const before = merged.get(constraint.name);
    merged.set(constraint.name, before ? stricter(before, constraint) : constraint);
    if (constraint.name === "redactOutput") redacted.push(constraint.strings);
  }
  // All of them at once: the union of each two would be sorted as often as there are rules.
  if (redacted.length > 1) merged.set("redactOutput", { name: "redactOutput", strings: union(redacted) });
  return [...merged.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

function union(lists: readonly (readonly string[])[]): string[] {
  const all = new Set<string>();
  for (const list of lists) for (const path of list) all.add(path);
  return [...all].sort();
}

/** Of two that have an order: what is redacted has none. */
function stricter(one: Constraint, other: Constraint): Constraint {
  if (one.name === "timeout" && other.name === "timeout") return one.durationMs <= other.durationMs ? one : other;
  if (one.name === "maxOutputBytes" && other.name === "maxOutputBytes")
    return one.integer <= other.integer ? one : other;
  return one;
}
