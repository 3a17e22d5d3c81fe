import { decimalOf } from "../cel/amounts.ts";
import { toJson } from "../cel/to-json.ts";
import { Failure, kindOf, Quantity, TypeName, type Value } from "../cel/value.ts";

const charsMax = 120;

export const redactedText = "[redacted]";

/** A value as a condition would write it, cut where it is long. */
export function shownValue(value: Value): string {
  if (value instanceof Quantity) {
    const unit = value.unit === "" ? "" : `, "${value.unit}"`;
    return `amount("${decimalOf(value)}"${unit})`;
  }
  if (value instanceof TypeName) return value.name;
  const json = toJson(value);
  return shortened(json instanceof Failure ? kindOf(value) : JSON.stringify(json));
}

export function shortened(text: string): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax).toWellFormed()}…`;
}
