import { ownValue } from "../json.ts";
import type { Shape } from "../typing/shape.ts";
import { entryOf, isAnyMap, keyFrom } from "./compare.ts";
import type { Run } from "./frame.ts";
import type { Node } from "./node.ts";
import { type Place, withInts } from "./place.ts";
import { Failure, isList, isMap, kindOf, LiteralMap, type Outcome, typeConfusion, type Value } from "./value.ts";

/** `operand.field` */
export function select(operand: Node, field: string, path: string): Run {
  const missing = new Failure("missing", `${path} is missing`);
  const { run } = operand;
  return (frame) => {
    const value = run(frame);
    const member = isMap(value) ? ownValue(value, field) : memberOf(value, field, path);
    // Null is a value like any other.
    return member === undefined ? missing : member;
  };
}

/** A key's value; undefined if the map lacks it or there is only null where the map should be. */
function memberOf(value: Outcome, field: string, path: string): Outcome | undefined {
  if (value instanceof Failure) return value;
  if (isAnyMap(value)) return entryOf(value, field);
  return value === null ? undefined : new Failure("type", `${path} is read from ${kindOf(value)}`);
}

/** `has(operand.field)`: whether the key is there, null or not. Unknown if there is no map to hold it. */
export function hasField(operand: Node, field: string, path: string): Run {
  return (frame) => {
    const value = operand.run(frame);
    if (value instanceof Failure) return value;
    return isAnyMap(value)
      ? entryOf(value, field) !== undefined
      : new Failure("type", `${path} is read from ${kindOf(value)}`);
  };
}

/** `present(path)`: whether there is a value, and not null, at the end of the path. Total, but for odd types on the way. */
export function present(operand: Node): Run {
  return (frame) => {
    const value = operand.run(frame);
    if (value instanceof Failure) return value.reason === "missing" ? false : value;
    return value !== null;
  };
}

/** `operand[index]`; below a place whose shape depends on the index, ints are made ints. */
export function index(operand: Node, key: Node, path: string, place?: Place): Run {
  return (frame) => {
    const container = operand.run(frame);
    if (container instanceof Failure) return container;
    const at = key.run(frame);
    if (at instanceof Failure) return at;
    const element = elementOf(container, at, path);
    return place?.shape.ints ? withInts(element, belowKey(container, at, place.at(frame)), frame) : element;
  };
}

function belowKey(container: Value, key: Value, shape: Shape | undefined): Shape | undefined {
  return isList(container) ? shape?.item() : shape?.property(String(key));
}

function elementOf(container: Value, at: Value, path: string): Outcome {
  const key = keyFrom(at);
  if (isList(container)) {
    if (typeof key !== "bigint") return typeConfusion("an index into a list", at);
    const element = key < 0n || key >= BigInt(container.length) ? undefined : container[Number(key)];
    return element === undefined ? new Failure("missing", `${path} is out of range`) : element;
  }
  if (isAnyMap(container)) {
    if (key === undefined || (typeof key !== "string" && !(container instanceof LiteralMap))) {
      return typeConfusion("a key", at);
    }
    const value = entryOf(container, key);
    return value === undefined ? new Failure("missing", `${path} is missing`) : value;
  }
  return container === null ? new Failure("missing", `${path} is missing`) : typeConfusion("an index into", container);
}
