import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJsonInSlices } from "./json-in-slices.ts";

const pauses = () => {
  const counted = { count: 0, pause: async () => void counted.count++ };
  return counted;
};

/** As it is, or again and again in lists and maps, so that its text is long. */
const long = (value: unknown, times: number) => ({
  list: Array.from({ length: times }, () => value),
  map: Object.fromEntries(Array.from({ length: times }, (_, at) => [`k"\\${at}`, value])),
  ["__proto__"]: value,
});

test("any JSON, however long and however written, is what JSON.parse makes of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.nat(2000), fc.constantFrom(0, 1), async (value, times, indent) => {
      const text = JSON.stringify(long(value, times), null, indent);
      const { pause } = pauses();
      expect(await parseJsonInSlices(text, pause)).toStrictEqual(JSON.parse(text));
    }),
    { numRuns: 60 },
  );
});

test("a key that is named like a prototype is a key, at any length", async () => {
  const text = `{"__proto__": ${JSON.stringify(Array.from({ length: 9_000 }, (_, at) => ({ at })))}, "b": 1}`;
  const value = await parseJsonInSlices(text, pauses().pause);
  expect(Object.keys(value as object)).toEqual(["__proto__", "b"]);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

test("of a long text no more than a piece is parsed between two pauses", async () => {
  const text = JSON.stringify({ rules: Array.from({ length: 20_000 }, (_, at) => ({ id: `r${at}` })) });
  const counted = pauses();
  await parseJsonInSlices(text, counted.pause);
  expect(counted.count).toBeGreaterThan(text.length / 32_768);
});

test.each(["[1,", "{]", '{"a" 1}', "[1,,2]", "[1]x", '["', "{1:2}", "[1}", ",", "[,1]", '{"a":1,}', "[1:2]"])(
  "%s is refused as JSON.parse refuses it, also among much else",
  async (wrong) => {
    const filler = `"${"x".repeat(40_000)}"`;
    for (const text of [
      `[,${filler}]`,
      `[${filler},${wrong}]`,
      `{"a":${filler},"b":${wrong}}`,
      `${wrong}${" ".repeat(40_000)}`,
    ]) {
      expect(() => JSON.parse(text)).toThrow(SyntaxError);
      await expect(parseJsonInSlices(text, pauses().pause)).rejects.toThrow(SyntaxError);
    }
  },
);
