import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digest, digestBytes, digestedBytes, digestedInSlices, digestText } from "./digest.ts";

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

test("a long text is written down and digested in slices as it is at once", async () => {
  let pauses = 0;
  const pause = async () => void pauses++;
  // Characters of two units stand across every border of a piece.
  for (const text of [
    "{}",
    `{"a":"${"x".repeat(900_000)}"}`,
    `${"\u{1f600}".repeat(300_001)}`,
    `a${"\u{1f600}".repeat(99_999)}`,
  ]) {
    expect(await digestedInSlices("entry", text, pause)).toEqual(digestedBytes("entry", text));
  }
  expect(pauses).toBeGreaterThan(6);
});
