import { durationFrom, timestampFrom } from "../../src/cel/times.ts";
import { Duration, isList, isMap, LiteralMap, Timestamp, TypeName, type Value } from "../../src/cel/value.ts";
import type { WrittenValue } from "./cases.ts";

/** Says that a value of the data is of a kind that conditions do not have. */
export class NotOurs extends Error {}

/** A value of the data as conditions compute with it. Throws {@link NotOurs}. */
export function valueFrom(written: WrittenValue): Value {
  const [[kind, value] = ["nullValue", null]] = Object.entries(written) as [string, unknown][];
  switch (kind) {
    case "nullValue":
      return null;
    case "boolValue":
      return value as boolean;
    case "int64Value":
      return BigInt(value as string);
    case "doubleValue":
      return Number(value);
    case "stringValue":
      return value as string;
    case "listValue":
      return ((value as { values?: WrittenValue[] }).values ?? []).map(valueFrom);
    case "mapValue": {
      const { entries = [] } = value as { entries?: { key: WrittenValue; value: WrittenValue }[] };
      return new LiteralMap(new Map(entries.map((entry) => [valueFrom(entry.key) as string, valueFrom(entry.value)])));
    }
    case "typeValue":
      return new TypeName(ourTypeNames[value as string] ?? (value as string));
    case "objectValue":
      return objectFrom(value as { "@type"?: string; value?: string });
    case "uint64Value":
      throw new NotOurs("unsigned integers");
    case "bytesValue":
      throw new NotOurs("bytes");
    default:
      throw new NotOurs("protobuf messages");
  }
}

const ourTypeNames: Readonly<Record<string, string>> = {
  "google.protobuf.Timestamp": "timestamp",
  "google.protobuf.Duration": "duration",
};

function objectFrom({ "@type": type = "", value = "" }: { "@type"?: string; value?: string }): Value {
  if (type.endsWith(".Timestamp")) return timestampFrom(value) as Value;
  if (type.endsWith(".Duration")) return durationFrom(value) as Value;
  throw new NotOurs("protobuf messages");
}

/** A value in words that are equal for equal values of one type alone. */
export function spelt(value: Value): string {
  if (value === null) return "null";
  if (value instanceof Timestamp) return `time ${value.ns}`;
  if (value instanceof Duration) return `span ${value.ns}`;
  if (value instanceof TypeName) return `type ${value.name}`;
  if (isList(value)) return `[${value.map(spelt).join(", ")}]`;
  if (value instanceof LiteralMap || isMap(value)) {
    const entries: [Value, Value][] = value instanceof LiteralMap ? [...value.entries] : Object.entries(value);
    return `{${entries
      .map(([key, item]) => `${spelt(key)}: ${spelt(item)}`)
      .sort()
      .join(", ")}}`;
  }
  return `${typeof value} ${Object.is(value, -0) ? "-0" : value}`;
}
