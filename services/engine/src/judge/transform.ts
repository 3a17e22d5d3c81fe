import { charSteps, type Frame, spend } from "../cel/frame.ts";
import { toJson } from "../cel/to-json.ts";
import { costFailure, Failure, type Outcome } from "../cel/value.ts";
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

/** What is set at one path, or below it. */
type Changes = Map<string, Changes | { readonly value: JsonValue }>;

/**
 * Applies every change of every matched transform together, each computed on the input as it was proposed. Two values
 * for one path, or for a path and one below it, conflict; a value that cannot be computed, a path that leads through
 * what is no map, and more work than one evaluation may do is invalid.
 */
export function transformInput(input: JsonObject, matched: readonly MatchedTransform[]): Transformed {
  const changes: Changes = new Map();
  for (const { rule, frame } of matched) {
    for (const setting of rule.settings) {
      const { path } = setting;
      const value = settingValue(setting, frame);
      if (value instanceof Failure) return { code: "transform_invalid", path: shown(path), why: value.why };
      if (!note(changes, path, value)) {
        return { code: "transform_conflict", path: shown(path), why: "two transforms set it to different values" };
      }
    }
  }
  const [first] = matched;
  if (!first) return { input };
  const transformed = changed(input, changes, [], first.frame);
  if (!(transformed instanceof Refused)) return { input: transformed };
  return { code: "transform_invalid", path: shown(transformed.path), why: transformed.why };
}

/** Notes that a path is to be set; false if it, or a path above or below it, is to be set to something else. */
function note(changes: Changes, path: readonly string[], value: JsonValue): boolean {
  let at = changes;
  for (const [index, key] of path.entries()) {
    const there = at.get(key);
    const last = index === path.length - 1;
    if (there === undefined) {
      const below: Changes = new Map();
      at.set(key, last ? { value } : below);
      at = below;
    } else if (there instanceof Map) {
      if (last) return false;
      at = there;
    } else return last && sameJson(there.value, value);
  }
  return true;
}

/** What noting each part of a path takes, once for what is to be set and once for what is copied. */
const partSteps = 4;

/** A value that costs its size in steps: it is compared, copied and checked. */
function settingValue(setting: Setting, frame: Frame): JsonValue | Failure {
  if (!spend(frame, partSteps * setting.path.length)) return costFailure;
  const value = setting.run ? jsonOf(setting.run(frame), frame) : (setting.literal ?? null);
  return value instanceof Failure || spendJson(value, frame) ? value : costFailure;
}

function jsonOf(outcome: Outcome, { meter }: Frame): JsonValue | Failure {
  return outcome instanceof Failure ? outcome : toJson(outcome, meter.steps);
}

function spendJson(value: JsonValue, frame: Frame): boolean {
  if (typeof value === "string") return spend(frame, charSteps(value.length));
  if (typeof value !== "object" || value === null) return spend(frame, 1);
  if (Array.isArray(value)) return spend(frame, 1) && value.every((item) => spendJson(item, frame));
  const map = value as JsonObject;
  return spend(frame, 1) && Object.keys(map).every((key) => spend(frame, 3) && spendJson(map[key] ?? null, frame));
}

/** Why an input cannot be changed. */
class Refused {
  readonly path: readonly string[];
  readonly why: string;

  constructor(path: readonly string[], why: string) {
    this.path = path;
    this.why = why;
  }
}

/** A copy of a map with everything set that is to be; maps on the way are made. */
function changed(
  map: JsonObject,
  changes: Changes,
  above: readonly string[],
  frame: Frame,
): Record<string, JsonValue> | Refused {
  const keys = Object.keys(map);
  if (!spend(frame, 4 * (keys.length + changes.size))) return new Refused(above, costFailure.why);
  const copy: Record<string, JsonValue> = {};
  for (const key of keys) setOwn(copy, key, map[key] ?? null);
  for (const [key, change] of changes) {
    if (!(change instanceof Map)) {
      setOwn(copy, key, change.value);
      continue;
    }
    const path = [...above, key];
    const inner = ownValue(map, key) ?? {};
    if (!isJsonObject(inner)) return new Refused(path, "the path leads through what is not a map");
    const below = changed(inner, change, path, frame);
    if (below instanceof Refused) return below;
    setOwn(copy, key, below);
  }
  return copy;
}

function shown(path: readonly string[]): string {
  return ["input", ...path].join(".");
}
