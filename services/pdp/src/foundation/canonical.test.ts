import fc from "fast-check";
import { expect, test } from "vitest";
import { Canonical, canonical, type Json, NotCanonical } from "./canonical.ts";
import { limits } from "./limits.ts";

// The cases of RFC 8785, section 3.2 and appendix B.
test.each([
  ['{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001]}', null],
  [
    '{"numbers":[333333333.33333329,4.50,2e-3,0.000000000000000000000000001]}',
    '{"numbers":[333333333.3333333,4.5,0.002,1e-27]}',
  ],
  [
    '{"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"}',
    '{"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  ],
  ['{"literals":[null,true,false]}', '{"literals":[null,true,false]}'],
  [
    '{"\\u20ac":"Euro","\\r":"CR","1":"One","\\u0080":"Control","\\ud83d\\ude02":"Smiley","\\u00f6":"o","\\ufb33":"Dalet","</script>":"S"}',
    '{"\\r":"CR","1":"One","</script>":"S","\u0080":"Control","ö":"o","€":"Euro","😂":"Smiley","\ufb33":"Dalet"}',
  ],
  ["[-0, 0.0]", "[0,0]"],
  [
    "[5e-324,-5e-324,2.2250738585072014e-308,9007199254740991]",
    "[5e-324,-5e-324,2.2250738585072014e-308,9007199254740991]",
  ],
])("%s", (text, expected) => {
  const written = () => canonical(JSON.parse(text) as Json);
  // 1E30 is an integer that a reader of another language may hold exactly and we cannot: refused, not rounded.
  if (expected === null) expect(written).toThrow(NotCanonical);
  else expect(written()).toBe(expected);
});

const json = fc.jsonValue({ maxDepth: 5, noUnicodeString: false }).filter((value) => {
  const numbers = (node: unknown): boolean =>
    typeof node === "number"
      ? !Number.isInteger(node) || Number.isSafeInteger(node)
      : typeof node !== "object" || node === null || Object.values(node).every(numbers);
  return numbers(value);
});

test("what is written reads back as the same value, and its keys' order does not matter", () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, shuffled(inner)]),
    );
  };
  fc.assert(
    fc.property(json, (value) => {
      const text = canonical(value as Json);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonical(JSON.parse(text))).toBe(text);
      expect(canonical(shuffled(value) as Json)).toBe(text);
    }),
  );
});

test.each([
  [{ a: [1, { b: Number.NaN }] }, ".a[1].b", "number_out_of_range"],
  [{ a: 2 ** 53 }, ".a", "number_out_of_range"],
  [{ "odd key": "\ud800" }, '["odd key"]', "text_invalid"],
  [{ f: () => 1 }, ".f", "not_json"],
  [{ n: 1n }, ".n", "not_json"],
] as const)("what has no one form is refused with its place: %o", (value, path, what) => {
  try {
    canonical(value);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(NotCanonical);
    expect(error).toMatchObject({ path, what });
  }
});

test("nesting is refused beyond the limit and not before", () => {
  const deep = (levels: number): Json => (levels === 1 ? [] : [deep(levels - 1)]);
  expect(canonical(deep(limits.jsonDepthMax))).toHaveLength(2 * limits.jsonDepthMax);
  expect(() => canonical(deep(limits.jsonDepthMax + 1))).toThrow("nested deeper");
});

test("a part that is done already is put in as it is, and undefined members are left out", () => {
  expect(canonical({ b: new Canonical('{"done":1}'), a: undefined })).toBe('{"b":{"done":1}}');
});
