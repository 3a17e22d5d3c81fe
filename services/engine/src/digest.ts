import { hash } from "node:crypto";

const charsMax = 200;

/** A short text that is equal for equal texts and for no others: a text itself, or the digest of one that is long. */
export function shortKey(text: string): string {
  return text.length <= charsMax ? text : hash("sha256", text, "base64url");
}
