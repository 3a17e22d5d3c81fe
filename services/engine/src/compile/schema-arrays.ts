import type { JsonObject, JsonValue } from "../json.ts";
import type { Check, Compiling } from "./schema-check.ts";
import { fail, failUnder } from "./schema-failure.ts";
import { canonical } from "./schema-values.ts";
import { spendSteps } from "./schema-work.ts";
import type { Steps } from "./steps.ts";

const uniqueItemsMax = 10_000;

/** What a part asks of a list. */
export function* arrayChecks(part: JsonObject, compiling: Compiling): Steps<Check[]> {
  const checks = countChecks(part);
  const first: Check[] = [];
  for (const item of Array.isArray(part.prefixItems) ? part.prefixItems : []) first.push(yield* compiling.part(item));
  const rest = part.items === undefined ? undefined : yield* compiling.part(part.items);
  if (first.length > 0 || rest) checks.push(itemsCheck(first, rest, part.items === false));
  checks.push(...(yield* containsCheck(part, compiling)));
  if (part.uniqueItems === true) {
    checks.push((value) => !Array.isArray(value) || allDifferent(value) || fail("must not have equal items"));
  }
  return checks;
}

function countChecks({ minItems, maxItems }: JsonObject): Check[] {
  const checks: Check[] = [];
  if (typeof maxItems === "number") {
    const message = `must NOT have more than ${maxItems} items`;
    checks.push((value) => !Array.isArray(value) || value.length <= maxItems || fail(message));
  }
  if (typeof minItems === "number") {
    const message = `must NOT have fewer than ${minItems} items`;
    checks.push((value) => !Array.isArray(value) || value.length >= minItems || fail(message));
  }
  return checks;
}

function itemsCheck(first: readonly Check[], rest: Check | undefined, closed: boolean): Check {
  const tooMany = `must NOT have more than ${first.length} items`;
  return (value, seen) => {
    if (!Array.isArray(value)) return true;
    for (let at = 0; at < value.length; at++) {
      const check = at < first.length ? first[at] : rest;
      if (!check) break;
      spendSteps(1);
      if (closed && at >= first.length) return fail(tooMany);
      if (!check(value[at] as JsonValue, undefined)) return failUnder(at);
    }
    seen?.sawItems(rest ? value.length : Math.min(first.length, value.length));
    return true;
  };
}

function* containsCheck(part: JsonObject, compiling: Compiling): Steps<Check[]> {
  if (part.contains === undefined) return [];
  const least = typeof part.minContains === "number" ? part.minContains : 1;
  const most = typeof part.maxContains === "number" ? part.maxContains : Number.POSITIVE_INFINITY;
  const check = yield* compiling.part(part.contains);
  const message =
    most === Number.POSITIVE_INFINITY
      ? `must contain at least ${least} valid item(s)`
      : `must contain at least ${least} and no more than ${most} valid item(s)`;
  return [
    (value, seen) => {
      if (!Array.isArray(value)) return true;
      let found = 0;
      for (let at = 0; at < value.length; at++) {
        spendSteps(2);
        if (!check(value[at] as JsonValue, undefined)) continue;
        found++;
        seen?.items.add(at);
        if (!seen && found >= least && most === Number.POSITIVE_INFINITY) return true;
      }
      return (found >= least && found <= most) || fail(message);
    },
  ];
}

function allDifferent(items: readonly JsonValue[]): boolean {
  if (items.length > uniqueItemsMax) return false;
  return new Set(items.map((item) => canonical(item, spendSteps))).size === items.length;
}
