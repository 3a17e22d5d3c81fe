import fc from "fast-check";
import { expect, test } from "vitest";
import { Fault } from "./fault.ts";
import { parseStrict, strictObject } from "./strict-json.ts";

const parse = (text: string) => parseStrict(new TextEncoder().encode(text), "input");

test("one object is read, with its canonical form", () => {
  expect(parse(' { "b": [1, {"c": "x:y\\"z"}], "a": null } ')).toEqual({
    value: { b: [1, { c: 'x:y"z' }], a: null },
    canonical: '{"a":null,"b":[1,{"c":"x:y\\"z"}]}',
  });
});

test.each([
  '{"a":1,"a":1}',
  '{"x":{"a":1,"b":2,"a":3}}',
  '[{"k":1,"k":2}]',
  '{"\\u0061":1,"a":2}',
  '{"__proto__":1,"__proto__":2}',
])("a key twice in one object is refused: %s", (text) => {
  expect(() => parse(text.startsWith("[") ? `{"list":${text}}` : text)).toThrow("same key twice");
});

test("every object without a doubled key passes, whatever its strings hold", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.dictionary(fc.string(), fc.string()))), (value) => {
      expect(parse(JSON.stringify(value)).value).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("doubling any key of any object is noticed", () => {
  const doubled = fc.tuple(fc.dictionary(fc.string(), fc.integer(), { minKeys: 1 }), fc.nat()).map(([value, pick]) => {
    const keys = Object.keys(value);
    const key = keys[pick % keys.length] ?? "";
    return `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(key)}:0}`;
  });
  fc.assert(
    fc.property(doubled, (text) => {
      expect(() => parse(text)).toThrow(Fault);
    }),
  );
});

test.each(["", "null", "1", '"a"', "[]", "{", "{}x", '{"a":01}', '{"a":.5}', "{'a':1}", '{"a":undefined}'])(
  "what is not one JSON object is refused: %s",
  (text) => {
    expect(() => parse(text)).toThrow(Fault);
  },
);

test("a byte order mark and bytes that are not UTF-8 are refused", () => {
  expect(() => parseStrict(Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), "input")).toThrow(Fault);
  expect(() => parseStrict(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "input")).toThrow(Fault);
});

test("an object that was parsed elsewhere is held to the same rules", () => {
  expect(() => strictObject({ a: { b: 2 ** 60 } }, "context")).toThrow("context.a.b");
  expect(() => strictObject([], "context")).toThrow("must be a JSON object");
});
