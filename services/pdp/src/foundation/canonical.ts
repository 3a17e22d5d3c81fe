import { limits } from "./limits.ts";
import { createNameOrders } from "./name-order.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A value whose canonical form is known: it is put into a larger one as it is, not walked again. */
export class Canonical {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What `canonical` takes: JSON, with parts of it done already. Undefined members are left out; the rest is checked. */
export type Canonicalisable = Json | Canonical | undefined | object;

/** Why a value has no canonical form. `path` leads to it: `input.items[3].amount`. */
export class NotCanonical extends Error {
  readonly path: string;
  readonly what: "number_out_of_range" | "text_invalid" | "too_deep" | "not_json";

  constructor(what: NotCanonical["what"], path: string, message: string) {
    super(message);
    this.what = what;
    this.path = path;
  }
}

// A name, or a name quoted where it would be misread.
export const step = (key: string) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);

/** A step back up, put before the path as the error travels outward: paths cost nothing until something is wrong. */
export function rethrowBelow(error: unknown, segment: string): never {
  if (!(error instanceof NotCanonical)) throw error;
  throw new NotCanonical(error.what, segment + error.path, error.message);
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new NotCanonical("number_out_of_range", "", "is not a finite number");
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new NotCanonical("number_out_of_range", "", "is an integer beyond ±(2^53−1), which JSON readers round");
  }
  // ECMAScript's shortest form, which RFC 8785 section 3.2.2.3 prescribes; -0 is written 0.
  return value === 0 ? "0" : String(value);
}

// What JSON writes as itself between quotes: no control characters, quotes, backslashes, nothing that could be half of
// a surrogate pair. Most names and values are of this kind, and looking is cheaper than escaping.
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function writeText(value: string): string {
  if (PLAIN.test(value)) return `"${value}"`;
  if (!value.isWellFormed()) throw new NotCanonical("text_invalid", "", "holds a lone surrogate");
  return JSON.stringify(value);
}

function writeList(list: readonly Canonicalisable[], depth: number): string {
  let text = "[";
  for (let at = 0; at < list.length; at++) {
    try {
      text += (at === 0 ? "" : ",") + canonicalAt(list[at], depth + 1);
    } catch (error) {
      rethrowBelow(error, `[${at}]`);
    }
  }
  return `${text}]`;
}

const writeName = (name: string): string => {
  try {
    return writeText(name);
  } catch (error) {
    return rethrowBelow(error, step(name));
  }
};
const orderOf = createNameOrders(writeName);

function writeObject(object: { readonly [key: string]: Canonicalisable }, depth: number): string {
  const { sorted, heads, nexts } = orderOf(Object.keys(object));
  let text = "{";
  for (let at = 0; at < sorted.length; at++) {
    const name = sorted[at] as string;
    const value = object[name];
    if (value === undefined) continue;
    try {
      text += (text === "{" ? heads : nexts)[at] + canonicalAt(value, depth + 1);
    } catch (error) {
      rethrowBelow(error, step(name));
    }
  }
  return `${text}}`;
}

/** Throws for an object or a list that is nested too deep. */
export function requireDepth(depth: number): void {
  if (depth <= limits.jsonDepthMax) return;
  throw new NotCanonical("too_deep", "", `is nested deeper than ${limits.jsonDepthMax} levels`);
}

/** The canonical JSON of a value that lies so deep in another, which lies at 1. */
export function canonicalAt(value: Canonicalisable, depth: number): string {
  switch (typeof value) {
    case "string":
      return writeText(value);
    case "number":
      return writeNumber(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      if (value instanceof Canonical) return value.text;
      requireDepth(depth);
      return Array.isArray(value)
        ? writeList(value, depth)
        : writeObject(value as { readonly [key: string]: Canonicalisable }, depth);
    default:
      throw new NotCanonical("not_json", "", `is a ${typeof value}, which JSON does not have`);
  }
}

/**
 * The canonical JSON of a value (RFC 8785). Members that are undefined are left out. Throws `NotCanonical` for what
 * readers could disagree about: unsafe integers, NaN, lone surrogates, nesting beyond the limit.
 */
export function canonical(value: Canonicalisable): string {
  return canonicalAt(value, 1);
}
