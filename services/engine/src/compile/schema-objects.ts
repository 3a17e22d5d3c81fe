import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { Check, Compiling } from "./schema-check.ts";
import { fail, failUnder } from "./schema-failure.ts";
import { spendSteps } from "./schema-work.ts";
import type { Steps } from "./steps.ts";

/** What a part asks of a map. */
export function* objectChecks(part: JsonObject, compiling: Compiling): Steps<Check[]> {
  const checks = [...requiredCheck(part.required), ...sizeChecks(part)];
  checks.push(...dependentNames(part));
  checks.push(...(yield* keyChecks(part, compiling)));
  checks.push(...(yield* dependentParts(part, compiling)));
  if (part.propertyNames !== undefined) {
    const name = yield* compiling.part(part.propertyNames);
    checks.push((value) => {
      if (!isJsonObject(value)) return true;
      for (const key in value) {
        spendSteps(2);
        if (!name(key, undefined)) return false;
      }
      return true;
    });
  }
  return checks;
}

function requiredCheck(required: JsonValue | undefined): Check[] {
  if (!Array.isArray(required) || required.length === 0) return [];
  const names = required.map(String);
  return [
    (value) => {
      if (!isJsonObject(value)) return true;
      for (const name of names) {
        if (Object.hasOwn(value, name)) continue;
        return fail("is missing", name);
      }
      spendSteps(names.length >> 2);
      return true;
    },
  ];
}

function sizeChecks({ minProperties, maxProperties }: JsonObject): Check[] {
  const checks: Check[] = [];
  if (typeof maxProperties === "number") {
    const message = `must NOT have more than ${maxProperties} properties`;
    checks.push((value) => !isJsonObject(value) || sizeOf(value) <= maxProperties || fail(message));
  }
  if (typeof minProperties === "number") {
    const message = `must NOT have fewer than ${minProperties} properties`;
    checks.push((value) => !isJsonObject(value) || sizeOf(value) >= minProperties || fail(message));
  }
  return checks;
}

function sizeOf(value: JsonObject): number {
  let size = 0;
  for (const _ in value) size++;
  spendSteps(size >> 1);
  return size;
}

function dependentNames({ dependentRequired }: JsonObject): Check[] {
  if (!isJsonObject(dependentRequired)) return [];
  const entries = Object.entries(dependentRequired).map(
    ([name, others]) => [name, others as readonly string[]] as const,
  );
  return [
    (value) => {
      if (!isJsonObject(value)) return true;
      for (const [name, others] of entries) {
        spendSteps(1);
        if (!Object.hasOwn(value, name)) continue;
        spendSteps(others.length >> 2);
        const missing = others.find((other) => !Object.hasOwn(value, other));
        if (missing !== undefined) return fail("is missing", missing);
      }
      return true;
    },
  ];
}

function* dependentParts({ dependentSchemas }: JsonObject, compiling: Compiling): Steps<Check[]> {
  if (!isJsonObject(dependentSchemas)) return [];
  const entries: (readonly [string, Check])[] = [];
  for (const [name, part] of Object.entries(dependentSchemas)) entries.push([name, yield* compiling.part(part)]);
  return [
    (value, seen) => {
      if (!isJsonObject(value)) return true;
      for (const [name, check] of entries) {
        spendSteps(1);
        if (Object.hasOwn(value, name) && !check(value, seen)) return false;
      }
      return true;
    },
  ];
}

const steps = { key: 2, pattern: 2 };

/** Looks each key of a value up, so that what it costs goes by the value and not by the schema. */
function* keyChecks(part: JsonObject, compiling: Compiling): Steps<Check[]> {
  const { properties, patternProperties, additionalProperties } = part;
  const known = new Map<string, Check>();
  for (const [name, below] of Object.entries(isJsonObject(properties) ? properties : {})) {
    known.set(name, yield* compiling.part(below));
  }
  const patterns: (readonly [(text: string) => boolean, Check])[] = [];
  for (const [pattern, below] of Object.entries(isJsonObject(patternProperties) ? patternProperties : {})) {
    patterns.push([yield* compiling.pattern(pattern), yield* compiling.part(below)]);
  }
  const others = additionalProperties === undefined ? undefined : yield* compiling.part(additionalProperties);
  const closed = additionalProperties === false;
  if (known.size === 0 && patterns.length === 0 && !others) return [];
  return [
    (value, seen) => {
      if (!isJsonObject(value)) return true;
      for (const key in value) {
        spendSteps(steps.key);
        const item = value[key] as JsonValue;
        const check = known.get(key);
        let isKnown = check !== undefined;
        if (check && !check(item, undefined)) return failUnder(key);
        for (const [matches, below] of patterns) {
          spendSteps(steps.pattern);
          if (!matches(key)) continue;
          isKnown = true;
          if (!below(item, undefined)) return failUnder(key);
        }
        if (!isKnown) {
          if (closed) return fail("is not a known property", key);
          if (!others) continue;
          if (!others(item, undefined)) return failUnder(key);
        }
        seen?.names.add(key);
      }
      return true;
    },
  ];
}
