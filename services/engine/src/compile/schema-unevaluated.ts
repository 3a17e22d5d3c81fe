import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { Check, Compiling } from "./schema-check.ts";
import { fail, failUnder } from "./schema-failure.ts";
import { spendSteps } from "./schema-work.ts";
import type { Steps } from "./steps.ts";

/** What parts have looked at of one map or list. */
export class Evaluated {
  readonly names = new Set<string>();
  readonly items = new Set<number>();
  /** All items before this one. */
  itemsBefore = 0;

  sawItems(before: number): void {
    this.itemsBefore = Math.max(this.itemsBefore, before);
  }

  add(other: Evaluated): void {
    spendSteps(other.names.size + other.items.size);
    for (const name of other.names) this.names.add(name);
    for (const item of other.items) this.items.add(item);
    this.sawItems(other.itemsBefore);
  }
}

/** A part with what it asks of whatever no other of its keywords has looked at. */
export function* withUnevaluated(part: JsonObject, check: Check, compiling: Compiling): Steps<Check> {
  const { unevaluatedProperties, unevaluatedItems } = part;
  if (unevaluatedProperties === undefined && unevaluatedItems === undefined) return check;
  const property = unevaluatedProperties === undefined ? undefined : yield* compiling.part(unevaluatedProperties);
  const item = unevaluatedItems === undefined ? undefined : yield* compiling.part(unevaluatedItems);
  const closed = unevaluatedProperties === false;
  return (value, seen) => {
    const its = new Evaluated();
    if (!check(value, its)) return false;
    if (property && isJsonObject(value) && !others(value, its, property, closed)) return false;
    if (item && Array.isArray(value) && !otherItems(value, its, item)) return false;
    seen?.add(its);
    return true;
  };
}

function others(value: JsonObject, its: Evaluated, check: Check, closed: boolean): boolean {
  for (const key in value) {
    spendSteps(2);
    if (its.names.has(key)) continue;
    if (closed) return fail("is not a known property", key);
    if (!check(value[key] as JsonValue, undefined)) return failUnder(key);
    its.names.add(key);
  }
  return true;
}

function otherItems(value: readonly JsonValue[], its: Evaluated, check: Check): boolean {
  for (let at = its.itemsBefore; at < value.length; at++) {
    spendSteps(2);
    if (!its.items.has(at) && !check(value[at] as JsonValue, undefined)) return failUnder(at);
  }
  its.sawItems(value.length);
  return true;
}
