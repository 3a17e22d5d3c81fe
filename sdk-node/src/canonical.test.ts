import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonical as theirs } from "../../services/pdp/src/foundation/canonical.ts";
import { digest } from "../../services/pdp/src/foundation/digest.ts";
import { canonical, NotJson } from "./canonical.ts";
import { inputDigest, outputDigest } from "./digest.ts";

/** What a writer makes of a value: its text, or that it refused. */
function outcome(write: () => string): string | undefined {
  try {
    return write();
  } catch {
    return undefined;
  }
}

test("canonical JSON, its digest and its refusals are the service's own, byte for byte", () => {
  const value = fc.jsonValue({ depthSize: "medium" });
  fc.assert(
    fc.property(value, (one) => {
      const text = outcome(() => theirs(one as never));
      expect(outcome(() => canonical(one))).toBe(text);
      if (text !== undefined) expect(inputDigest(text)).toBe(digest("input", text));
    }),
  );
});

// The SDKs of other languages read the same file.
const vectors = JSON.parse(readFileSync(new URL("../../proto/canonical-vectors.json", import.meta.url), "utf8")) as {
  accepted: { json: string; canonical: string; inputDigest: string }[];
  refused: string[];
};

test("the canonical form and its digest are those of every SDK", () => {
  expect(vectors.accepted.length).toBeGreaterThan(5);
  for (const { json, canonical: text, inputDigest: digested } of vectors.accepted) {
    const value: unknown = JSON.parse(json);
    expect([canonical(value), theirs(value as never), inputDigest(text)]).toEqual([text, text, digested]);
  }
});

test("what two readers could read differently has no canonical form in any SDK", () => {
  expect(vectors.refused.length).toBeGreaterThan(5);
  for (const json of vectors.refused) {
    expect(() => canonical(JSON.parse(json))).toThrow(NotJson);
    expect(outcome(() => theirs(JSON.parse(json)))).toBeUndefined();
  }
});

test("members are sorted by UTF-16 code units, numbers take their shortest form, undefined members are left out", () => {
  const value = {
    "\u20ac": 1,
    "\r": 2,
    "\ufb33": 3,
    "1": 4,
    "\u{1f600}": 5,
    a: undefined,
    n: [-0, 0.1, 1e-7, 4.5e1],
  };
  expect(canonical(value)).toBe('{"\\r":2,"1":4,"n":[0,0.1,1e-7,45],"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
});

const refused: readonly [string, unknown, string][] = [
  ["an integer beyond 2^53-1", { a: [1, { big: 2 ** 53 }] }, ".a[1].big"],
  ["NaN", { a: Number.NaN }, ".a"],
  ["a lone surrogate", { a: "\ud800" }, ".a"],
  ["a lone surrogate in a name", { a: { "\ud800": 1 } }, ".a"],
  ["a date", { at: new Date(0) }, ".at"],
  ["a map", { m: new Map() }, ".m"],
  ["a bigint", { "odd name": 1n }, '["odd name"]'],
  ["a function", { f: () => 1 }, ".f"],
  ["undefined in a list", [undefined], "[0]"],
];

for (const [what, value, path] of refused) {
  test(`${what} has no canonical form, and the error leads to it`, () => {
    const attempt = () => canonical(value);
    expect(attempt).toThrow(NotJson);
    expect(attempt).toThrow(expect.objectContaining({ path: expect.stringContaining(path) }));
  });
}

test("nesting is bounded where the service bounds it", () => {
  const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)]);
  expect(canonical(nest(32))).toBe(theirs(nest(32) as never));
  expect(() => canonical(nest(33))).toThrow("nested deeper than 32 levels");
});

test("an output has a digest of its own kind, or none if it is not JSON", () => {
  expect(outputDigest({ a: 1 })).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(outputDigest({ a: 1 })).not.toBe(inputDigest('{"a":1}'));
  expect(outputDigest(undefined)).toBeUndefined();
  expect(outputDigest(new Map())).toBeUndefined();
});
