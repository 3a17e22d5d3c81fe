import { randomBytes, randomFillSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { unwrap, wrap, wrappingKey } from "./key-wrap.ts";

const random = (bytes: Uint8Array) => void randomFillSync(bytes);
const key = wrappingKey(Buffer.alloc(32, 7));

test("what is wrapped comes back, and never twice in the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (secret, purpose) => {
      const wrapped = wrap(key, purpose, secret, random);
      expect([...unwrap(key, purpose, wrapped)]).toEqual([...secret]);
      expect(wrap(key, purpose, secret, random)).not.toEqual(wrapped);
    }),
  );
});

test("another key, another purpose or one flipped bit is refused", () => {
  const wrapped = wrap(key, "signing-key/a", Buffer.from("secret"), random);
  expect(() => unwrap(wrappingKey(randomBytes(32)), "signing-key/a", wrapped)).toThrow();
  expect(() => unwrap(key, "signing-key/b", wrapped)).toThrow();
  for (let at = 0; at < wrapped.length; at++) {
    const flipped = Buffer.from(wrapped);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    expect(() => unwrap(key, "signing-key/a", flipped)).toThrow();
  }
});

test("a key has 32 bytes, and a name that does not tell it", () => {
  expect(() => wrappingKey(randomBytes(31))).toThrow("32 bytes");
  expect(key.id).toMatch(/^[0-9a-f]{16}$/);
  expect(Buffer.from(key.bytes).toString("hex")).not.toContain(key.id);
});
