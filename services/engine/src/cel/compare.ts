import { type JsonObject, ownValue } from "../json.ts";
import { charSteps, type Frame, isSpent, orderSteps, spend } from "./frame.ts";
import {
  costFailure,
  Duration,
  Failure,
  isList,
  isMap,
  LiteralMap,
  Quantity,
  Timestamp,
  TypeName,
  typeConfusion,
  unitConfusion,
  type Value,
} from "./value.ts";

/**
 * Whether two values are equal. Ints and doubles compare by their number. Values of different types, null among them,
 * are not "unequal" but a type confusion: a rule that expects text must not be passed by sending a list.
 */
export function equal(left: Value, right: Value, frame: Frame): boolean | Failure {
  if (typeof left === "string" && typeof right === "string") return equalText(left, right, frame);
  if (isNumber(left) && isNumber(right)) return sameNumber(left, right);
  if (typeof left === "boolean" && typeof right === "boolean") return left === right;
  if (left === null && right === null) return true;
  if (isList(left) && isList(right)) return equalLists(left, right, frame);
  if (isAnyMap(left) && isAnyMap(right)) return equalMaps(left, right, frame);
  if (left instanceof Timestamp && right instanceof Timestamp) return left.ns === right.ns;
  if (left instanceof Duration && right instanceof Duration) return left.ns === right.ns;
  if (left instanceof Quantity && right instanceof Quantity) {
    return left.unit === right.unit ? left.micros === right.micros : unitConfusion("a comparison", left, right);
  }
  if (left instanceof TypeName && right instanceof TypeName) return left.name === right.name;
  return typeConfusion("a comparison", left, right);
}

export function equalText(left: string, right: string, frame: Frame): boolean | Failure {
  // Texts of different lengths are told apart by them.
  const steps = left.length === right.length ? charSteps(left.length) : 1;
  return spend(frame, steps) ? left === right : costFailure;
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function sameNumber(left: number | bigint, right: number | bigint): boolean {
  // An order between a bigint and a double is exact; strict equality would tell their types apart.
  return left <= right && left >= right;
}

// A definite difference decides; only without one does a type confusion among the parts count.
function equalLists(left: readonly Value[], right: readonly Value[], frame: Frame): boolean | Failure {
  if (left.length !== right.length) return false;
  let failure: Failure | undefined;
  for (let index = 0; index < left.length; index++) {
    if (!spend(frame, 1)) return costFailure;
    const same = equal(left[index] as Value, right[index] as Value, frame);
    if (same === false) return false;
    if (same !== true) failure ??= same;
  }
  return failure ?? true;
}

type AnyMap = JsonObject | LiteralMap;
export type Key = string | bigint | boolean;

export function isAnyMap(value: Value): value is AnyMap {
  return isMap(value) || value instanceof LiteralMap;
}

export function keysOf(map: AnyMap): Key[] {
  return map instanceof LiteralMap ? [...map.entries.keys()] : Object.keys(map);
}

/** The value of a key, undefined if it is absent. */
export function entryOf(map: AnyMap, key: Key): Value | undefined {
  if (map instanceof LiteralMap) return map.entries.get(key);
  return typeof key === "string" ? ownValue(map, key) : undefined;
}

/** A value as a map's key: text, a bool, or a whole number. */
export function keyFrom(value: Value): Key | undefined {
  if (typeof value === "string" || typeof value === "bigint" || typeof value === "boolean") return value;
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : undefined;
}

/** A key that one map lacks is missing, as a field is: it makes the answer unknown unless another key differs. */
function equalMaps(left: AnyMap, right: AnyMap, frame: Frame): boolean | Failure {
  if (isSpent(frame)) return costFailure;
  const [keys, others] = [keysOf(left), keysOf(right)];
  // Listing and looking up keys costs about four steps a key.
  if (!spend(frame, 4 * (keys.length + others.length))) return costFailure;
  let failure = others.every((key) => entryOf(left, key) !== undefined) ? undefined : otherKeys;
  for (const key of keys) {
    const there = entryOf(right, key);
    const same = there === undefined ? otherKeys : equal(entryOf(left, key) as Value, there, frame);
    if (same === false) return false;
    if (same !== true) failure ??= same;
  }
  return failure ?? true;
}

const otherKeys = new Failure("missing", "a comparison of maps with different keys");

/** Below zero, zero or above it as `left` is less than, equal to or greater than `right`; unknown across types. */
export function order(left: Value, right: Value, frame: Frame): number | Failure {
  if (isNumber(left) && isNumber(right)) return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === "string" && typeof right === "string") {
    return spend(frame, orderSteps(Math.min(left.length, right.length))) ? orderStrings(left, right) : costFailure;
  }
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (left instanceof Timestamp && right instanceof Timestamp) return orderInts(left.ns, right.ns);
  if (left instanceof Duration && right instanceof Duration) return orderInts(left.ns, right.ns);
  if (left instanceof Quantity && right instanceof Quantity) {
    return left.unit === right.unit ? orderInts(left.micros, right.micros) : unitConfusion("an ordering", left, right);
  }
  return typeConfusion("an ordering", left, right);
}

function orderInts(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** By code points, as CEL has it; JavaScript's own order is by UTF-16 units. */
function orderStrings(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const [a, b] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (a === b) continue;
    const surrogates = Number(isSurrogate(a)) - Number(isSurrogate(b));
    return surrogates === 0 ? a - b : surrogates;
  }
  return left.length - right.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/**
 * Whether a list holds a value equal to `item`, or a map the key. Without one that is equal, an element of another type
 * makes the answer unknown; `mixed` says that the list was written in the condition, where its types are the author's
 * choice, and then it is unknown only if no element has the item's type.
 */
export function contains(item: Value, container: Value, mixed: boolean, frame: Frame): boolean | Failure {
  if (isAnyMap(container)) {
    const key = keyFrom(item);
    if (key === undefined || (!(container instanceof LiteralMap) && typeof key !== "string")) {
      return typeConfusion("a look-up", item, container);
    }
    if (!spend(frame, 1)) return costFailure;
    if (entryOf(container, key) !== undefined) return true;
    // Among keys of another type alone nothing was looked for.
    if (!(container instanceof LiteralMap)) return false;
    if (!spend(frame, container.entries.size)) return costFailure;
    const keys = keysOf(container);
    return keys.length === 0 || keys.some((other) => typeof other === typeof key)
      ? false
      : typeConfusion("a look-up", item, container);
  }
  if (!isList(container)) return typeConfusion("`in`", item, container);
  let failure: Failure | undefined;
  let comparable = false;
  for (const element of container) {
    if (!spend(frame, 1)) return costFailure;
    const same = equal(item, element, frame);
    if (same === true) return true;
    if (same === false) comparable = true;
    else if (same.reason === "cost") return same;
    else failure ??= same;
  }
  return failure === undefined || (mixed && comparable) ? false : failure;
}
