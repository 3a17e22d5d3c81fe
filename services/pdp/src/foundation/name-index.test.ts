import fc from "fast-check";
import { expect, test } from "vitest";
import { createNameIndex } from "./name-index.ts";

const steps = fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.integer()), { maxLength: 40 });
const asked = fc.array(fc.string({ maxLength: 3 }));

const hashes: readonly (readonly [string, ((name: string) => number) | undefined])[] = [
  ["its own hash", undefined],
  ["a hash that all names share", () => 7],
  ["a hash at the last place, so that the next is the first", () => -1],
];

test.each(hashes)("is what a map is, by %s", (_, hash) => {
  fc.assert(
    fc.property(steps, asked, (entries, others) => {
      const map = new Map(entries);
      const index = createNameIndex<number>(entries.length, hash);
      for (const [name, value] of entries) index.set(name, value);

      expect([...index.keys()]).toEqual([...map.keys()]);
      expect([...index.values()]).toEqual([...map.values()]);
      expect(index.size).toBe(map.size);
      for (const name of [...map.keys(), ...others]) {
        expect([name, index.get(name), index.has(name)]).toEqual([name, map.get(name), map.has(name)]);
      }
    }),
  );
});

test("has every one of very many names", () => {
  const count = 20_000;
  const index = createNameIndex<number>(count);
  for (let at = 0; at < count; at++) index.set(`agent-${at}`, at);
  index.set("agent-12345", -1);

  const wrong = Array.from({ length: count }, (_, at) => at).filter((at) => index.get(`agent-${at}`) !== at);
  expect(wrong).toEqual([12_345]);
  expect([index.size, index.get("agent-12345"), index.get("agent-20000")]).toEqual([count, -1, undefined]);
  expect([...index.keys()]).toEqual(Array.from({ length: count }, (_, at) => `agent-${at}`));
  expect([...index.values()].slice(12_344, 12_347)).toEqual([12_344, -1, 12_346]);
});

test("of no names has none", () => {
  const index = createNameIndex(0);
  expect([index.size, index.get("clerk"), index.has(""), [...index.values()]]).toEqual([0, undefined, false, []]);
});

test("takes more names than it was made for", () => {
  const index = createNameIndex<number>(1);
  for (let at = 0; at < 5_000; at++) index.set(`agent-${at}`, at);
  expect([index.size, index.get("agent-0"), index.get("agent-4999"), index.get("mia")]).toEqual([
    5_000,
    0,
    4_999,
    undefined,
  ]);
});
