import { type JsonValue, setOwn } from "../json.ts";
import { durationText, timestampText } from "./times.ts";
import { Duration, Failure, isList, isOpaque, LiteralMap, Timestamp, type Value } from "./value.ts";

/** A value as JSON: ints within ±(2^53 − 1) as numbers, times and durations as text. */
export function toJson(value: Value): JsonValue | Failure {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : new Failure("error", "an int that JSON cannot carry exactly");
  }
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof LiteralMap) return mapToJson(value);
  if (isOpaque(value)) return new Failure("type", "a value that is not JSON");
  if (!isList(value)) return value;
  const items: JsonValue[] = [];
  for (const item of value) {
    const json = toJson(item);
    if (json instanceof Failure) return json;
    items.push(json);
  }
  return items;
}

function mapToJson(map: LiteralMap): JsonValue | Failure {
  const object: Record<string, JsonValue> = {};
  for (const [key, item] of map.entries) {
    const json = toJson(item);
    if (json instanceof Failure) return json;
    setOwn(object, String(key), json);
  }
  return object;
}
