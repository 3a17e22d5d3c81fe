import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Amount as WireAmount } from "@remit/proto/common";
import { type Amount, parseAmount } from "../../foundation/amount.ts";
import { invalid } from "../../foundation/fault.ts";
import { isUuid } from "../../foundation/ids.ts";
import { limits } from "../../foundation/limits.ts";

const bytesOf = (text: string) => (text.length * 3 <= 64 ? text.length : Buffer.byteLength(text));

/** A text that must be there, well formed and within its limit. */
export function requiredText(value: string, field: string, bytesMax: number): string {
  if (value === "") throw invalid(field, `${field} is missing`, { fix: `send ${field}` });
  return optionalText(value, field, bytesMax);
}

/** A text that may be empty. */
export function optionalText(value: string, field: string, bytesMax: number): string {
  if (!value.isWellFormed()) throw invalid(field, `${field} holds a lone surrogate`, { fix: "send valid Unicode" });
  if (bytesOf(value) > bytesMax) {
    throw invalid(field, `${field} is ${bytesOf(value)} bytes long`, { limit: `${bytesMax} bytes` });
  }
  return value;
}

/** A UUID in lower case. */
export function uuidField(value: string, field: string): string {
  if (!isUuid(value))
    throw invalid(field, `${field} must be a UUID in lower case`, { fix: `send ${field} as answered` });
  return value;
}

/** A list within its limit. */
export function boundedList<Item>(list: readonly Item[], field: string, itemsMax: number): readonly Item[] {
  if (list.length > itemsMax) {
    throw invalid(field, `${field} has ${list.length} entries`, { limit: `${itemsMax} entries` });
  }
  return list;
}

/** Labels: few, short, each a text. */
export function labelsField(labels: Readonly<Record<string, string>>, field: string): Readonly<Record<string, string>> {
  for (const [name, value] of boundedList(Object.entries(labels), field, limits.labelsMax)) {
    requiredText(name, `${field} key`, limits.labelBytesMax);
    optionalText(value, `${field}.${name}`, limits.labelBytesMax);
  }
  return labels;
}

/** Exact amounts, at most one a unit. */
export function amountsField(list: readonly WireAmount[], field: string): Amount[] {
  const amounts = boundedList(list, field, limits.estimatesMax).map(({ unit, value }, at) =>
    parseAmount(unit, value, `${field}[${at}]`),
  );
  const twice = amounts.find(({ unit }, at) => amounts.findIndex((other) => other.unit === unit) !== at);
  if (twice) throw invalid(field, `${field} names ${twice.unit} twice`, { fix: "add the amounts of a unit up" });
  return amounts;
}

/** A time as the wire has it; undefined stays undefined. */
export function timeOf(text: string | undefined) {
  return text === undefined ? undefined : timestampFromMs(Date.parse(text));
}
