import type { Frame } from "../cel/frame.ts";
import { toJson } from "../cel/to-json.ts";
import { Failure } from "../cel/value.ts";
import type { CompiledRule, Setting } from "../compile/rule.ts";
import { isJsonObject, type JsonObject, type JsonValue, ownValue, sameJson, setOwn } from "../json.ts";

/** A transform rule that matched, and the frame its expressions are computed on. */
export interface MatchedTransform {
  readonly rule: CompiledRule;
  readonly frame: Frame;
}

export type Transformed =
  | { readonly input: JsonObject }
  | { readonly code: "transform_conflict" | "transform_invalid"; readonly path: string; readonly why: string };

interface Change {
  readonly path: readonly string[];
  readonly value: JsonValue;
}

/**
 * Applies every change of every matched transform together, each computed on the input as it was proposed. Two values
 * for one path, or for a path and one below it, conflict; a value that cannot be computed, or a path that leads through
 * what is no map, is invalid.
 */
export function transformInput(input: JsonObject, matched: readonly MatchedTransform[]): Transformed {
  const changes: Change[] = [];
  for (const { rule, frame } of matched) {
    for (const setting of rule.settings) {
      const value = settingValue(setting, frame);
      if (value instanceof Failure) return { code: "transform_invalid", path: shown(setting.path), why: value.why };
      const clash = changes.find((change) => overlap(change.path, setting.path));
      if (!clash) changes.push({ path: setting.path, value });
      else if (clash.path.length !== setting.path.length || !sameJson(clash.value, value)) {
        return {
          code: "transform_conflict",
          path: shown(setting.path),
          why: "two transforms set it to different values",
        };
      }
    }
  }
  let transformed = input;
  for (const { path, value } of changes) {
    const next = withValue(transformed, path, value);
    if (!next) return { code: "transform_invalid", path: shown(path), why: "the path leads through what is not a map" };
    transformed = next;
  }
  return { input: transformed };
}

function settingValue(setting: Setting, frame: Frame): JsonValue | Failure {
  if (!setting.run) return setting.literal ?? null;
  const value = setting.run(frame);
  return value instanceof Failure ? value : toJson(value);
}

function overlap(one: readonly string[], other: readonly string[]): boolean {
  const shorter = Math.min(one.length, other.length);
  return one.slice(0, shorter).every((key, index) => other[index] === key);
}

function shown(path: readonly string[]): string {
  return ["input", ...path].join(".");
}

/** A copy of a map with one value set; maps on the way are made. Undefined if something else is in the way. */
function withValue(map: JsonObject, [key = "", ...rest]: readonly string[], value: JsonValue): JsonObject | undefined {
  let next = value;
  if (rest.length > 0) {
    const inner = ownValue(map, key) ?? {};
    const changed = isJsonObject(inner) ? withValue(inner, rest, value) : undefined;
    if (!changed) return undefined;
    next = changed;
  }
  const copy: Record<string, JsonValue> = {};
  for (const name of Object.keys(map)) setOwn(copy, name, map[name] ?? null);
  setOwn(copy, key, next);
  return copy;
}
