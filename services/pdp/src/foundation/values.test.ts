import fc from "fast-check";
import { expect, test } from "vitest";
import { countValues, countValuesIn } from "./values.ts";

const count = (text: string, atMost = 1_000) => countValues(new TextEncoder().encode(text), atMost);

test.each([
  ["{}", 1],
  ['{"a":1}', 1],
  ['{"a":1,"b":{}}', 3],
  ['{"a":{"b":[1,2,3]}}', 5],
  ['{"a,[{":"\\",[{\\\\"}', 1],
  ["[[[]]]", 3],
  [' { "a" : [ 1 , 2 ] } ', 3],
])("%s has %i values", (text, values) => {
  expect(count(text)).toBe(values);
  expect(countValuesIn(JSON.parse(text), 1_000)).toBe(values);
});

test("a text and what it says have the same number of values, whatever its strings hold", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      expect(count(JSON.stringify(value))).toBe(countValuesIn(value, 1_000));
    }),
  );
});

test("nobody counts much further than is asked for", () => {
  expect(count(`[${"1,".repeat(500)}1]`, 7)).toBe(8);
  expect(countValuesIn([[1, 2], [[[[]]]], [3, 4]], 2)).toBe(3);
  expect(countValuesIn([[1, 2, 3, 4], [[[[]]]], [3, 4]], 5)).toBe(7);
});

test("what is no JSON is counted to its end", () => {
  expect(count('{"a":"')).toBe(1);
  expect(count('"\\')).toBe(0);
  expect(count("]]}}")).toBe(0);
});
