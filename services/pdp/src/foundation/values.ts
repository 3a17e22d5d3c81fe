const QUOTE = 0x22;
const COMMA = 0x2c;
const LIST = 0x5b;
const BACKSLASH = 0x5c;
const OBJECT = 0x7b;

/**
 * How many values a JSON text in UTF-8 has: members of its objects and items of its lists, at all depths, an empty object
 * or list as one. These are its commas and opening brackets outside of strings, so nothing is built to count them. Stops
 * counting at one more than `atMost`. What is not JSON has some number too; its parser refuses it.
 */
export function countValues(json: Uint8Array, atMost: number): number {
  let values = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) {
      for (at++; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++;
    } else if ((byte === COMMA || byte === LIST || byte === OBJECT) && ++values > atMost) break;
  }
  return values;
}

/** The same of an object in memory, whose nesting ends by itself: it was decoded from a message. */
export function countValuesIn(value: unknown, atMost: number): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner = Array.isArray(value) ? value : Object.values(value);
  let values = Math.max(1, inner.length);
  for (const each of inner) {
    if (values > atMost) break;
    if (typeof each === "object" && each !== null) values += countValuesIn(each, atMost - values);
  }
  return values;
}
