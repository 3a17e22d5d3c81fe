import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonValue } from "../json.ts";
import { memberTest } from "./members.ts";

const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));
const literal = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }),
  fc.boolean(),
);

test("a value is a member where a set of the same values has it", () => {
  fc.assert(
    fc.property(fc.array(literal, { maxLength: 60 }), fc.array(literal), (values, asked) => {
      const isMember = memberTest(values);
      const set = new Set<JsonValue>(values);
      for (const value of [...asked, ...values, 0, -0, "", "0", "true"]) expect(isMember(value)).toBe(set.has(value));
    }),
  );
});

test("what is no literal is no member of a long list or a short one", () => {
  for (const values of [many(5, String), many(500, String)]) {
    const isMember = memberTest(values);
    for (const value of [null, [], {}, ["1"], 1, true]) expect(isMember(value as JsonValue)).toBe(false);
    expect(isMember("4")).toBe(true);
  }
});

test("texts that were chosen to share a hash are told apart too", () => {
  const alike = collisions(200);
  const isMember = memberTest(alike);
  expect(alike.every((text) => isMember(text))).toBe(true);
  expect(isMember(`${alike[0]}x`)).toBe(false);
});

/** Texts of one hash: of pairs each of which leads from one hash to another by two ways. */
function collisions(count: number): string[] {
  const byHash = new Map<number, string>();
  const hash = (text: string, from = 0x811c9dc5) => {
    let value = from;
    for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
    return value;
  };
  let from = 0x811c9dc5;
  let pairs: (readonly [string, string])[] = [];
  for (let seed = 0; pairs.length < Math.ceil(Math.log2(count)); seed++) {
    const text = String.fromCharCode(seed & 0xffff, 0x100 + (Math.imul(seed, 0x9e3779b1) >>> 16));
    const value = hash(text, from);
    const other = byHash.get(value);
    if (other === undefined || other === text) {
      byHash.set(value, text);
      continue;
    }
    pairs = [...pairs, [other, text]];
    byHash.clear();
    from = value;
  }
  return many(count, (at) => pairs.map((pair, bit) => pair[(at >> bit) & 1]).join(""));
}
