import { checkedTimestamp } from "./arithmetic.ts";
import { isAnyMap, keysOf } from "./compare.ts";
import { isSpent, scanSteps, spend } from "./frame.ts";
import type { FunctionTable } from "./function-table.ts";
import { durationCharsMax, durationFrom, durationText, timestampFrom, timestampText } from "./times.ts";
import {
  checkedDouble,
  checkedInt,
  costFailure,
  Duration,
  Failure,
  isList,
  type Outcome,
  Quantity,
  Timestamp,
  TypeName,
  typeConfusion,
  type Value,
} from "./value.ts";

function toInt(value: Value): Outcome {
  if (typeof value === "bigint") return value;
  // The least int, written as a double, is what rounding makes of many others.
  if (typeof value === "number") return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : noInt;
  if (typeof value === "string") return /^-?\d{1,19}$/.test(value) ? checkedInt(BigInt(value)) : noInt;
  return value instanceof Timestamp ? value.ns / 1_000_000_000n : typeConfusion("int()", value);
}
const noInt = new Failure("error", "not an int");

function toDouble(value: Value): Outcome {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string") return typeConfusion("double()", value);
  return /^-?\d{1,300}(\.\d{1,300})?([eE][-+]?\d{1,3})?$/.test(value)
    ? checkedDouble(Number(value))
    : new Failure("error", "not a double");
}

function toText(value: Value): Outcome {
  if (typeof value === "string") return value;
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  return ["boolean", "number", "bigint"].includes(typeof value) ? String(value) : typeConfusion("string()", value);
}

const trueTexts = ["true", "True", "TRUE", "t", "1"];
const falseTexts = ["false", "False", "FALSE", "f", "0"];

function toBool(value: Value): Outcome {
  if (typeof value === "boolean") return value;
  if (typeof value === "string" && trueTexts.includes(value)) return true;
  if (typeof value === "string" && falseTexts.includes(value)) return false;
  return typeof value === "string" ? new Failure("error", "not a bool") : typeConfusion("bool()", value);
}

function typeOf(value: Value): TypeName {
  if (value === null) return new TypeName("null_type");
  if (isList(value)) return new TypeName("list");
  if (isAnyMap(value)) return new TypeName("map");
  if (value instanceof Timestamp) return new TypeName("timestamp");
  if (value instanceof Duration) return new TypeName("duration");
  if (value instanceof Quantity) return new TypeName("amount");
  if (value instanceof TypeName) return new TypeName("type");
  const names = { boolean: "bool", number: "double", bigint: "int", string: "string" } as const;
  return new TypeName(names[typeof value as keyof typeof names]);
}

/** The names that stand for types, as in `type(input.to) == list`. */
export const typeNames = ["bool", "int", "double", "string", "list", "map", "null_type"];

/** Reading or writing a number or a time as text. */
const readingSteps = 20;

export const conversions: FunctionTable = {
  int: {
    params: [["int", "double", "string", "timestamp"]],
    result: "int",
    steps: readingSteps,
    apply: ([value]) => toInt(value as Value),
  },
  double: {
    params: [["int", "double", "string"]],
    result: "double",
    steps: readingSteps,
    apply: ([value]) => toDouble(value as Value),
  },
  string: {
    params: [["string", "bool", "int", "double", "timestamp", "duration"]],
    result: "string",
    steps: readingSteps,
    apply: ([value]) => toText(value as Value),
  },
  bool: { params: [["bool", "string"]], result: "bool", apply: ([value]) => toBool(value as Value) },
  dyn: { params: [["dyn"]], result: "dyn", apply: ([value]) => value as Value },
  type: { params: [["dyn"]], result: "type", apply: ([value]) => typeOf(value as Value) },
  timestamp: {
    params: [["string", "timestamp", "int"]],
    result: "timestamp",
    steps: readingSteps,
    folds: true,
    apply: ([value]) => {
      if (value instanceof Timestamp) return value;
      if (typeof value === "bigint") return checkedTimestamp(value * 1_000_000_000n);
      return typeof value === "string" ? timestampFrom(value) : typeConfusion("timestamp()", value as Value);
    },
  },
  duration: {
    params: [["string", "duration"]],
    result: "duration",
    steps: readingSteps,
    folds: true,
    apply: ([value], frame) => {
      if (value instanceof Duration) return value;
      if (typeof value !== "string") return typeConfusion("duration()", value as Value);
      return spend(frame, Math.min(value.length, durationCharsMax)) ? durationFrom(value) : costFailure;
    },
  },
  size: {
    params: [["string", "list", "map"]],
    result: "int",
    apply: ([value], frame) => {
      if (typeof value === "string") return spend(frame, scanSteps(value.length)) ? codePoints(value) : costFailure;
      if (isList(value as Value)) return BigInt((value as readonly Value[]).length);
      if (!isAnyMap(value as Value)) return typeConfusion("size()", value as Value);
      if (isSpent(frame)) return costFailure;
      const count = countKeys(value as Value);
      return spend(frame, 3 * count) ? BigInt(count) : costFailure;
    },
  },
};

function countKeys(value: Value): number {
  return isAnyMap(value) ? keysOf(value).length : 0;
}

function codePoints(text: string): bigint {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    const high = text.charCodeAt(index);
    if (high < 0xd800 || high > 0xdbff) continue;
    const low = text.charCodeAt(index + 1);
    if (low >= 0xdc00 && low <= 0xdfff) count--;
  }
  return BigInt(count);
}
