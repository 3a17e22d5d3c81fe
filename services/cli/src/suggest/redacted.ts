import type { JsonObject, JsonValue } from "@remit/engine";
import type { SeenCall } from "./seen-call.ts";

const EVERY = "*";

/**
 * Whether a path of a tool's document names what stands at keys of the input, or something that it is part of. Keys do
 * not count the places of lists, and `*` is each item of a list or each member of a map: where it could be either, it is.
 */
function names(path: readonly string[], keys: readonly string[]): boolean {
  const [step, ...rest] = path;
  if (step === undefined) return true;
  const [key, ...below] = keys;
  if (step === EVERY && names(rest, keys)) return true;
  return key !== undefined && (step === key || step === EVERY) && names(rest, below);
}

/** Whether one of these paths, such as `input.card` or `input.items.*.note`, names what stands at keys of the input. */
export function hides(paths: readonly string[], keys: readonly string[]): boolean {
  return paths.some((path) => {
    const [root, ...steps] = path.split(".");
    return root === "input" && names(steps, keys);
  });
}

function maskedAt(value: JsonValue, path: readonly string[]): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) return "redacted";
  if (Array.isArray(value)) return value.map((item: JsonValue) => maskedAt(item, step === EVERY ? rest : path));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => [name, step === name || step === EVERY ? maskedAt(held, rest) : held]),
  );
}

/** The same call without what paths name. */
export function masked(call: SeenCall, paths: readonly string[]): SeenCall {
  const parts = { input: call.input, context: call.context };
  for (const path of paths) {
    const [root, ...keys] = path.split(".");
    if (root === "input" || root === "context") parts[root] = maskedAt(parts[root], keys) as JsonObject;
  }
  return { ...call, ...parts };
}
