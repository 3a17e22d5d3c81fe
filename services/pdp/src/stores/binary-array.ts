/**
 * One-dimensional arrays in Postgres's binary wire format: dimensions, whether a null occurs, the element type, length
 * and lower bound, then every element behind its length (array_recv of Postgres, src/backend/utils/adt/arrayfuncs.c).
 * node-pg sends a Buffer as a binary parameter, so a body crosses as its bytes instead of as hexadecimal text.
 */

/** pg_type.oid of the elements. */
const OID = { bytea: 17, int8: 20, text: 25, date: 1082, timestamptz: 1184, uuid: 2950 } as const;

const HEAD_BYTES = 20;
const NULL_LENGTH = -1;
const DAY_MS = 86_400_000;
// Postgres counts from 2000-01-01.
const EPOCH_MS = Date.UTC(2000, 0, 1);

/** An array's buffer with its head written, and where its elements begin. */
function head(oid: number, count: number, elementsBytes: number, hasNull: boolean): Buffer {
  const buffer = Buffer.allocUnsafe(HEAD_BYTES + elementsBytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(hasNull ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
}

/** Elements of one width. `write` puts one behind its length: through a view, which compiles to a store, as `writeInt32BE` does not. */
function fixed<Element>(
  oid: number,
  width: number,
  elements: readonly (Element | undefined)[],
  write: (view: DataView, element: Element, at: number) => void,
): Buffer {
  const present = elements.reduce((count: number, element) => count + (element === undefined ? 0 : 1), 0);
  const buffer = head(oid, elements.length, elements.length * 4 + present * width, present < elements.length);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  let at = HEAD_BYTES;
  for (const element of elements) {
    view.setInt32(at, element === undefined ? NULL_LENGTH : width);
    at += 4;
    if (element === undefined) continue;
    write(view, element, at);
    at += width;
  }
  return buffer;
}

/** bytea[]; undefined is null. */
export function byteaArray(elements: readonly (Uint8Array | undefined)[]): Buffer {
  let bytes = 0;
  let hasNull = false;
  for (const element of elements) {
    bytes += 4 + (element?.length ?? 0);
    hasNull ||= element === undefined;
  }
  const buffer = head(OID.bytea, elements.length, bytes, hasNull);
  let at = HEAD_BYTES;
  for (const element of elements) {
    at = buffer.writeInt32BE(element?.length ?? NULL_LENGTH, at);
    if (element === undefined) continue;
    buffer.set(element, at);
    at += element.length;
  }
  return buffer;
}

/** text[] in UTF-8; undefined is null. */
export function textArray(elements: readonly (string | undefined)[]): Buffer {
  let bytes = 0;
  let hasNull = false;
  for (const element of elements) {
    bytes += 4 + (element === undefined ? 0 : Buffer.byteLength(element));
    hasNull ||= element === undefined;
  }
  const buffer = head(OID.text, elements.length, bytes, hasNull);
  let at = HEAD_BYTES;
  for (const element of elements) {
    if (element === undefined) {
      at = buffer.writeInt32BE(NULL_LENGTH, at);
      continue;
    }
    const length = buffer.write(element, at + 4);
    buffer.writeInt32BE(length, at);
    at += 4 + length;
  }
  return buffer;
}

const UUID_CHARS = 36;
const DASH = 0x2d;
/** What a character is worth as a hexadecimal digit, by its code; -1 where it is none. */
const DIGITS = Int8Array.from({ length: 128 }, (_, code) =>
  "0123456789abcdef".indexOf(String.fromCharCode(code).toLowerCase()),
);
const digitAt = (text: string, at: number) => DIGITS[text.charCodeAt(at)] ?? -1;

/** uuid[]; undefined is null. Throws on what is not a UUID. */
export function uuidArray(elements: readonly (string | undefined)[]): Buffer {
  return fixed(OID.uuid, 16, elements, (view, uuid, at) => {
    // Below 0 as soon as anything is: no bit of what is right is its sign.
    let wrong = uuid.length === UUID_CHARS ? 0 : -1;
    for (let from = 0, to = at; from < UUID_CHARS; from += 2, to++) {
      if (from === 8 || from === 13 || from === 18 || from === 23) wrong |= uuid.charCodeAt(from++) === DASH ? 0 : -1;
      const high = digitAt(uuid, from);
      const low = digitAt(uuid, from + 1);
      wrong |= high | low;
      view.setUint8(to, (high << 4) | low);
    }
    if (wrong < 0) throw new RangeError(`not a UUID: ${uuid}`);
  });
}

const INT8_MAX = 2n ** 63n - 1n;
const INT8_MIN = -(2n ** 63n);

/** int8[]; undefined is null. Throws on what 64 bits cannot hold. */
export function int8Array(elements: readonly (bigint | undefined)[]): Buffer {
  return fixed(OID.int8, 8, elements, (view, value, at) => {
    if (value > INT8_MAX || value < INT8_MIN) throw new RangeError(`not of 64 bits: ${value}`);
    view.setBigInt64(at, value);
  });
}

function dayNumber(day: string): number {
  const ms = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(ms)) throw new RangeError(`not a day: ${day}`);
  return (ms - EPOCH_MS) / DAY_MS;
}

/** date[] of days written YYYY-MM-DD. Throws on what is no day. */
export function dateArray(days: readonly string[]): Buffer {
  // The rows of a batch are mostly of one day: it is read once.
  let last = "";
  let number = 0;
  return fixed(OID.date, 4, days, (view, day, at) => {
    if (day !== last) {
      number = dayNumber(day);
      last = day;
    }
    view.setInt32(at, number);
  });
}

const micros = (ms: number) => BigInt(Math.round(ms - EPOCH_MS)) * 1000n;

/** timestamptz[] of milliseconds since 1970; undefined is null. */
export function timestamptzArray(times: readonly (number | undefined)[]): Buffer {
  return fixed(OID.timestamptz, 8, times, (view, ms, at) => view.setBigInt64(at, micros(ms)));
}

/** A timestamptz by itself, of milliseconds since 1970. */
export function timestamptz(ms: number): Buffer {
  const buffer = Buffer.allocUnsafe(8);
  buffer.writeBigInt64BE(micros(ms));
  return buffer;
}
