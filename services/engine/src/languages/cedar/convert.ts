import { parseDurationMs } from "../../duration.ts";
import { parseTimestampNs } from "../../instant.ts";
import { isJsonObject, type JsonObject, type JsonValue, ownValue, setOwn } from "../../json.ts";
import type { Attributes, CedarType } from "./schema-types.ts";

/** A fact that Cedar cannot be given as its schema has it. */
export class Unrepresentable extends Error {}

/** How much was converted: what Cedar's work on it is measured by. */
export interface Size {
  values: number;
  chars: number;
}

const decimalDigits = 4;
/** Cedar's decimals are whole numbers of 64 bits, in ten-thousandths. */
const decimalMax = 2n ** 63n - 1n;

/**
 * A fact as a value of a Cedar type, in Cedar's JSON format, exact to the last digit.
 *
 * @throws Unrepresentable for a fact of another type, one that is missing, and one that the type cannot hold.
 */
export function toCedar(value: JsonValue, type: CedarType, path: string, size: Size): JsonValue {
  size.values++;
  if (typeof value === "string") size.chars += value.length;
  switch (type.kind) {
    case "Record":
      return toRecord(value, type.attributes, path, size);
    case "Set":
      if (!Array.isArray(value)) throw wrong(path, "a list");
      return value.map((item: JsonValue, index) => toCedar(item, type.element, `${path}[${index}]`, size));
    case "Long":
      if (typeof value !== "number" || !Number.isSafeInteger(value)) throw wrong(path, "a whole number");
      return value;
    case "Bool":
      if (typeof value !== "boolean") throw wrong(path, "true or false");
      return value;
    case "decimal":
      return { __extn: { fn: "decimal", arg: decimalText(value, path) } };
    default:
      if (typeof value !== "string") throw wrong(path, "text");
      return textAs(value, type, path);
  }
}

/** The attributes that the schema declares, and no others; null is as good as absent. */
export function toRecord(value: JsonValue, attributes: Attributes, path: string, size: Size): JsonObject {
  if (!isJsonObject(value)) throw wrong(path, "a map");
  const record: Record<string, JsonValue> = {};
  for (const [name, { type, required }] of Object.entries(attributes)) {
    const there = ownValue(value, name) ?? null;
    const at = path === "" ? name : `${path}.${name}`;
    if (there !== null) setOwn(record, name, toCedar(there, type, at, size));
    else if (required) throw new Unrepresentable(`${at} is missing`);
  }
  return record;
}

function textAs(value: string, type: CedarType, path: string): JsonValue {
  switch (type.kind) {
    case "Entity":
      return { __entity: { type: type.name, id: value } };
    case "ipaddr":
      return { __extn: { fn: "ip", arg: value } };
    case "datetime": {
      const ns = parseTimestampNs(value);
      if (ns === undefined || ns % 1_000_000n !== 0n) throw wrong(path, "a time in whole milliseconds");
      return { __extn: { fn: "datetime", arg: new Date(Number(ns / 1_000_000n)).toISOString() } };
    }
    case "duration": {
      const ms = parseDurationMs(value);
      if (ms === undefined || !Number.isSafeInteger(ms)) throw wrong(path, "a duration in whole milliseconds");
      return { __extn: { fn: "duration", arg: `${ms}ms` } };
    }
    default:
      return value;
  }
}

/** The shortest text that is exactly the number, as Cedar writes decimals: one to four digits behind the point. */
function decimalText(value: JsonValue, path: string): string {
  const text = typeof value === "number" ? String(value) : value;
  const [, sign = "", whole = "", part = "", exponent = "0"] =
    (typeof text === "string" && /^(-?)(\d{1,40})(?:\.(\d{1,40}))?(?:e([+-]\d{1,3}))?$/.exec(text)) || [];
  if (whole === "") throw wrong(path, "a decimal number");
  // Shift the point: 1.5e+21, 1e-7.
  const digits = `${whole}${part}`;
  const point = whole.length + Number(exponent);
  const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
  const at = Math.max(point, 1);
  const fraction = padded.slice(at).replace(/0+$/, "");
  if (fraction.length > decimalDigits) throw wrong(path, `a number of at most ${decimalDigits} decimals`);
  const units = BigInt(padded.slice(0, at) + fraction.padEnd(decimalDigits, "0"));
  if (units > decimalMax) throw wrong(path, "a number that a decimal can hold");
  return `${sign}${BigInt(padded.slice(0, at))}.${fraction || "0"}`;
}

function wrong(path: string, expected: string): Unrepresentable {
  return new Unrepresentable(`${path} is not ${expected}`);
}
