import type { JsonObject, JsonValue } from "../json.ts";
import type { Check, Compiling } from "./schema-check.ts";
import { fail, failureNow, restore } from "./schema-failure.ts";
import { Evaluated } from "./schema-unevaluated.ts";
import { spendSteps } from "./schema-work.ts";
import type { Steps } from "./steps.ts";

/** A part that is tried costs more than one that must fit. */
const branchSteps = 2;

/** What a part asks by other parts: all, one or some of several, and what goes with which. */
export function* alternatives(part: JsonObject, compiling: Compiling): Steps<Check[]> {
  const checks = yield* compileAll(part.allOf, compiling);
  if (part.not !== undefined) {
    const check = yield* compiling.part(part.not);
    checks.push((value) => {
      spendSteps(branchSteps);
      return !check(value, undefined) || fail("must NOT be valid");
    });
  }
  if (part.anyOf !== undefined) checks.push(anyOf(yield* compileAll(part.anyOf, compiling)));
  if (part.oneOf !== undefined) checks.push(oneOf(yield* compileAll(part.oneOf, compiling)));
  if (part.if !== undefined) {
    const condition = yield* compiling.part(part.if);
    const then = part.then === undefined ? undefined : yield* compiling.part(part.then);
    const otherwise = part.else === undefined ? undefined : yield* compiling.part(part.else);
    checks.push(choice(condition, then, otherwise));
  }
  return checks;
}

function* compileAll(parts: JsonValue | undefined, compiling: Compiling): Steps<Check[]> {
  const checks: Check[] = [];
  for (const part of Array.isArray(parts) ? parts : []) checks.push(yield* compiling.part(part));
  return checks;
}

/** Tries a part; what it has looked at counts only if it fits. */
function tried(check: Check, value: JsonValue, seen: Evaluated | undefined): boolean {
  spendSteps(branchSteps);
  if (!seen) return check(value, undefined);
  const its = new Evaluated();
  const fits = check(value, its);
  if (fits) seen.add(its);
  return fits;
}

function anyOf(checks: readonly Check[]): Check {
  return (value, seen) => {
    let fits = false;
    let first: ReturnType<typeof failureNow> | undefined;
    for (const check of checks) {
      if (tried(check, value, seen)) {
        fits = true;
        if (!seen) return true;
      } else first ??= failureNow();
    }
    return fits || (first !== undefined && restore(first));
  };
}

function oneOf(checks: readonly Check[]): Check {
  return (value, seen) => {
    let count = 0;
    let first: ReturnType<typeof failureNow> | undefined;
    for (const check of checks) {
      if (!tried(check, value, seen)) first ??= failureNow();
      else if (++count > 1) return fail("must match exactly one schema in oneOf");
    }
    return count === 1 || (first !== undefined && restore(first));
  };
}

function choice(condition: Check, then: Check | undefined, otherwise: Check | undefined): Check {
  return (value, seen) => {
    const next = tried(condition, value, seen) ? then : otherwise;
    return next === undefined || next(value, seen);
  };
}
