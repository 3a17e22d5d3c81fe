import { canonical, type Json, type JsonObject, NotCanonical } from "./canonical.ts";
import { Fault, invalid } from "./fault.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** How many members the objects of a JSON text have in all: the colons outside its strings. */
function countMembers(text: string): number {
  let members = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === COLON) members++;
    if (unit !== QUOTE) continue;
    for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) {
      if (text.charCodeAt(at) === BACKSLASH) at++;
    }
  }
  return members;
}

function countKeys(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeys(item);
    return keys;
  }
  for (const key of Object.keys(value)) keys += 1 + countKeys((value as JsonObject)[key] as Json);
  return keys;
}

/** A JSON object that every reader reads the same way, with its canonical form. */
export interface StrictObject {
  readonly value: JsonObject;
  /** RFC 8785. */
  readonly canonical: string;
}

function refuse(field: string, error: NotCanonical): Fault {
  const message = `${field}${error.path} ${error.message}`;
  if (error.what !== "number_out_of_range") return invalid(field, message, { fix: "send plain JSON" });
  return new Fault("invalid", "number_out_of_range", message, {
    field: field + error.path,
    limit: "integers within ±(2^53−1)",
    fix: "send large numbers as decimal strings",
  });
}

/** Takes an object that was parsed elsewhere. `field` names it in errors. */
export function strictObject(value: unknown, field: string): StrictObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(field, `${field} must be a JSON object`, { fix: `send ${field} as {...}` });
  }
  try {
    return { value: value as JsonObject, canonical: canonical(value as JsonObject) };
  } catch (error) {
    if (error instanceof NotCanonical) throw refuse(field, error);
    throw error;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads one JSON object from UTF-8 bytes. Throws a `Fault` for what two readers could read differently: duplicate
 * keys, integers beyond ±(2^53−1), lone surrogates, bytes that are not UTF-8.
 */
export function parseStrict(bytes: Uint8Array, field: string): StrictObject {
  let text: string;
  let parsed: unknown;
  try {
    text = utf8.decode(bytes);
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalid(field, `${field} is not JSON: ${(error as Error).message}`, { fix: "send one JSON object in UTF-8" });
  }
  const strict = strictObject(parsed, field);
  // A doubled key makes a text longer than its canonical form; what SDKs send is canonical already.
  if (text === strict.canonical) return strict;
  // A parser keeps the last of two equal keys, so the object then has fewer members than its text.
  if (countKeys(strict.value) !== countMembers(text)) {
    throw invalid(field, `${field} has the same key twice in one object`, { fix: "send every key once" });
  }
  return strict;
}
