import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digest, digestBytes, digestedBytes, digestText } from "./digest.ts";

test("a digest is SHA-256 over its kind's prefix and the canonical JSON", () => {
  const expected = createHash("sha256").update('remit/input/v1\n{"a":1}').digest();
  expect(digestBytes("input", '{"a":1}')).toEqual(expected);
  expect(digest("input", '{"a":1}')).toBe(`sha256:${expected.toString("hex")}`);
  expect(digestText(expected)).toBe(digest("input", '{"a":1}'));
});

test("the same text has another digest under another kind", () => {
  expect(digest("input", "{}")).not.toBe(digest("entry", "{}"));
});

test("a text that is written down for its digest is the same bytes, whatever letters it has", () => {
  for (const text of ["{}", '{"a":"süß €\u{1f600}"}', `{"a":"${"x".repeat(9_000)}"}`]) {
    expect(digestedBytes("entry", text)).toEqual({ body: Buffer.from(text), digest: digestBytes("entry", text) });
  }
});
