import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { idempotencyKey } from "./key.ts";

test("a key is the first 16 bytes of the digest of kind, call id and attempt, parted by zero bytes", () => {
  const expected = createHash("sha256")
    .update(
      Buffer.concat([Buffer.from("decision"), Buffer.of(0), Buffer.from("call-1"), Buffer.of(0), Buffer.from("2")]),
    )
    .digest()
    .subarray(0, 16);
  expect(idempotencyKey("decision", "call-1", 2)).toEqual(expected);
});

test("kind, call id and attempt each make another key", () => {
  const keys = [
    idempotencyKey("decision", "call", 1),
    idempotencyKey("report", "call", 1),
    idempotencyKey("decision", "call", 2),
    idempotencyKey("decision", "call2", 1),
    // What would be the same bytes if the parts were only put behind one another.
    idempotencyKey("decision", "call\x002", 1),
    idempotencyKey("decision", "call", 21),
  ].map((key) => key.toString("hex"));
  expect(new Set(keys).size).toBe(keys.length);
});

test("a call id may be long, or hold characters that no text column takes", () => {
  expect(idempotencyKey("decision", "\0".repeat(3), 1)).toHaveLength(16);
  expect(idempotencyKey("decision", "x".repeat(6000), 1)).toHaveLength(16);
});
