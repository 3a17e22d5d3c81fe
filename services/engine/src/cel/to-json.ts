import { type JsonValue, setOwn } from "../json.ts";
import { evaluationStepsMax } from "./frame.ts";
import { durationText, timestampText } from "./times.ts";
import { costFailure, Duration, Failure, isList, isOpaque, LiteralMap, Timestamp, type Value } from "./value.ts";

/**
 * A value as JSON: ints within ±(2^53 − 1) as numbers, times and durations as text. One list may stand in another many
 * times over, so a value of more than `itemsMax` items, all lists together, is a failure.
 */
export function toJson(value: Value, itemsMax = evaluationStepsMax): JsonValue | Failure {
  return copied(value, { items: itemsMax });
}

/** How many items there is room for. */
interface Room {
  items: number;
}

function copied(value: Value, room: Room): JsonValue | Failure {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : new Failure("error", "an int that JSON cannot carry exactly");
  }
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof LiteralMap) return mapToJson(value, room);
  if (isOpaque(value)) return new Failure("type", "a value that is not JSON");
  if (!isList(value)) return value;
  room.items -= value.length;
  if (room.items < 0) return costFailure;
  const items: JsonValue[] = [];
  for (const item of value) {
    const json = copied(item, room);
    if (json instanceof Failure) return json;
    items.push(json);
  }
  return items;
}

function mapToJson(map: LiteralMap, room: Room): JsonValue | Failure {
  room.items -= map.entries.size;
  if (room.items < 0) return costFailure;
  const object: Record<string, JsonValue> = {};
  for (const [key, item] of map.entries) {
    const json = copied(item, room);
    if (json instanceof Failure) return json;
    setOwn(object, String(key), json);
  }
  return object;
}
