import type { JsonObject } from "../json.ts";
import { everyType, jsonTypes, type Shape, type TypeSet } from "../typing/shape.ts";
import { type Frame, isSpent, type Run, spend } from "./frame.ts";
import { type Node, type StaticType, typeWords } from "./node.ts";
import { costFailure, Failure, isList, isMap, LiteralMap, type Outcome, type Value } from "./value.ts";

/** The way to a place: its root, then keys, and null for the items of a list. */
export type Way = readonly (string | null)[];

/** The part of the input or the context that a node reads, and what the schemas of the rule's tools say of it. */
export interface Place {
  readonly steps: Way;
  readonly shape: Shape;
  /** What the schema of the called tool says of it. */
  readonly at: (frame: Frame) => Shape | undefined;
}

const numberTypes = jsonTypes.int | jsonTypes.double;

const staticTypes = Object.keys(jsonTypes) as (keyof typeof jsonTypes)[];

/** The types that a node's value may have; `dyn` alone if any. */
export function typesOf({ type, place }: Node): readonly StaticType[] {
  return type === "dyn" && place ? typesOfShape(place.shape) : [type];
}

export function typesOfShape({ types }: Shape): readonly StaticType[] {
  return (types & everyType) === everyType ? ["dyn"] : staticTypes.filter((one) => types & jsonTypes[one]);
}

/** A node that reads a place: a number in it is an int where the called tool's schema declares one. */
export function placed(read: Run, size: number, path: string, place: Place): Node {
  const { types } = place.shape;
  const type = staticTypes.find((one) => jsonTypes[one] === types) ?? "dyn";
  const plain = (types & everyType) === everyType ? read : checked(read, types, path);
  return { run: typedRun(plain, path, place), plain, type, size, path, place };
}

/** Reads JSON as it is, and is unknown for what the schemas rule out or what no number can carry. */
function checked(read: Run, types: TypeSet, path: string): Run {
  const odd = new Failure("type", `${path} is not ${typeWords(staticTypes.filter((one) => types & jsonTypes[one]))}`);
  const wide = types | (types & numberTypes ? numberTypes : 0);
  const whole = (types & numberTypes) === jsonTypes.int;
  return (frame) => {
    const value = read(frame);
    if (typeof value === "number") {
      if (whole) return Number.isSafeInteger(value) ? value : odd;
      return wide & jsonTypes.double ? value : odd;
    }
    if (typeof value === "string") return wide & jsonTypes.string ? value : odd;
    return value instanceof Failure || wide & typeBit(value) ? value : odd;
  };
}

function typeBit(value: Value): TypeSet {
  if (value === null) return jsonTypes.null;
  if (typeof value === "boolean") return jsonTypes.bool;
  return isList(value) ? jsonTypes.list : jsonTypes.map;
}

function typedRun(plain: Run, path: string, { shape, at }: Place): Run {
  const numbers = shape.types & numberTypes;
  if (numbers === jsonTypes.int) {
    return (frame) => {
      const value = plain(frame);
      return typeof value === "number" ? BigInt(value) : value;
    };
  }
  if (numbers !== numberTypes) return plain;
  return (frame) => {
    const value = plain(frame);
    return typeof value === "number" ? numberAt(value, at(frame), path) : value;
  };
}

/** A JSON number as its schema has it. */
function numberAt(value: number, shape: Shape | undefined, path: string): Outcome {
  if (shape === undefined || (shape.types & numberTypes) !== jsonTypes.int) return value;
  return Number.isSafeInteger(value) ? BigInt(value) : new Failure("type", `${path} is not an int`);
}

/** What a node answers, for where its place is forgotten: the ints of a list or map are made ints. */
export function settled(node: Node): Run {
  const { run, place } = node;
  if (!place?.shape.ints || !(place.shape.types & (jsonTypes.list | jsonTypes.map))) return run;
  return (frame) => {
    const value = run(frame);
    return typeof value === "object" && value !== null ? withInts(value, place.at(frame), frame) : value;
  };
}

/** A JSON value with its ints as ints. */
export function withInts(value: Outcome, shape: Shape | undefined, frame: Frame): Outcome {
  if (!shape?.ints || value instanceof Failure) return value;
  if (typeof value === "number") return numberAt(value, shape, "a number");
  if (isList(value)) return listWithInts(value, shape, frame);
  return isMap(value) ? mapWithInts(value, shape, frame) : value;
}

function listWithInts(items: readonly Value[], shape: Shape, frame: Frame): Outcome {
  const item = shape.item();
  const typed: Value[] = [];
  for (const one of items) {
    if (!spend(frame, 1)) return costFailure;
    const value = withInts(one, item, frame);
    if (value instanceof Failure) return value;
    typed.push(value);
  }
  return typed;
}

function mapWithInts(map: JsonObject, shape: Shape, frame: Frame): Outcome {
  if (isSpent(frame)) return costFailure;
  const entries = new Map<string, Value>();
  for (const key of Object.keys(map)) {
    if (!spend(frame, 4)) return costFailure;
    const value = withInts(map[key] ?? null, shape.property(key), frame);
    if (value instanceof Failure) return value;
    entries.set(key, value);
  }
  return new LiteralMap(entries);
}

/** How messages show the way to a place: `input.items[*].sku`. */
export function shownSteps(steps: Way): string {
  return steps.map((step, at) => (step === null ? "[*]" : at === 0 ? step : `.${step}`)).join("");
}
