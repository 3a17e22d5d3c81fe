import { type Duration, durationMs, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Amount as WireAmount } from "@remit/proto/common";
import { type Amount, parseAmount } from "../../foundation/amount.ts";
import { msOf } from "../../foundation/clock.ts";
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

/** A text for a column of its own: Postgres holds every character but one. */
export function storedText(value: string, field: string, bytesMax: number): string {
  if (value.includes("\0")) throw invalid(field, `${field} holds the character U+0000`, { fix: "leave it out" });
  return optionalText(value, field, bytesMax);
}

/** The same for a text that must be there. */
export function storedName(value: string, field: string, bytesMax: number): string {
  return requiredText(storedText(value, field, bytesMax), field, bytesMax);
}

/** A UUID in lower case. */
export function uuidField(value: string, field: string): string {
  if (!isUuid(value))
    throw invalid(field, `${field} must be a UUID in lower case`, { fix: `send ${field} as answered` });
  return value;
}

const DIGEST = /^(?:sha256:[0-9a-f]{64})?$/;

/** A digest, or nothing. */
export function digestField(value: string, field: string): string {
  if (!DIGEST.test(value)) throw invalid(field, `${field} must be written sha256:<64 hex digits>`);
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
    storedName(name, `${field} key`, limits.labelBytesMax);
    storedText(value, `${field}.${name}`, limits.labelBytesMax);
  }
  return labels;
}

/** The first item whose name one before it has. */
export function repeated<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item | undefined {
  const names = new Set<string>();
  return items.find((item) => names.size === names.add(nameOf(item)).size);
}

/** Exact amounts, at most one a unit. */
export function amountsField(list: readonly WireAmount[], field: string): Amount[] {
  const amounts = boundedList(list, field, limits.estimatesMax).map(({ unit, value }, at) =>
    parseAmount(unit, value, `${field}[${at}]`),
  );
  const twice = repeated(amounts, ({ unit }) => unit);
  if (twice) throw invalid(field, `${field} names ${twice.unit} twice`, { fix: "add the amounts of a unit up" });
  return amounts;
}

// What RFC 3339 can write with four digits of a year, as google.protobuf.Timestamp has it.
const TIME_MIN_MS = Date.parse("0001-01-01T00:00:00Z");
const TIME_MAX_MS = Date.parse("9999-12-31T23:59:59.999Z");

/** A time in milliseconds since 1970. */
export function timeField(time: Timestamp, field: string): number {
  const ms = timestampMs(time);
  if (ms >= TIME_MIN_MS && ms <= TIME_MAX_MS) return ms;
  throw invalid(field, `${field} is no time`, { limit: "the years 1 to 9999" });
}

const DURATION_MAX_MS = 315_576_000_000_000;

/** A length of time in milliseconds. */
export function durationField(duration: Duration, field: string): number {
  const ms = durationMs(duration);
  if (ms >= 0 && ms <= DURATION_MAX_MS) return ms;
  throw invalid(field, `${field} is no length of time`, { limit: "0 to 10,000 years" });
}

/** A time of whole milliseconds as the wire has it. */
export function timestampOf(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  const nanos = (ms - seconds * 1000) * 1_000_000;
  return { $typeName: "google.protobuf.Timestamp", seconds: BigInt(seconds), nanos };
}

/** The same of a time as an entry has it; undefined stays undefined. */
export function timeOf(text: string | undefined): Timestamp | undefined {
  return text === undefined ? undefined : timestampOf(msOf(text));
}
