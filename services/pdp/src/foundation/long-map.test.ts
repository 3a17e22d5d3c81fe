import fc from "fast-check";
import { expect, test } from "vitest";
import { LongMap } from "./long-map.ts";

const key = fc.integer({ min: 0, max: 12 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant("set" as const), key, value: fc.integer() }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("delete" as const), key }) },
);
const pieceMaxes = fc.integer({ min: 1, max: 5 });

test("is what a map is, but for the order, however few a piece may have", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), pieceMaxes, (steps, pieceMax) => {
      const [map, long] = [new Map<number, number>(), new LongMap<number, number>(pieceMax)];
      for (const one of steps) {
        if (one.does === "delete") expect(long.delete(one.key)).toBe(map.delete(one.key));
        else {
          map.set(one.key, one.value);
          long.set(one.key, one.value);
        }
        expect(long.size).toBe(map.size);
        for (let at = 0; at <= 12; at++) expect([at, long.get(at)]).toEqual([at, map.get(at)]);
        expect([...long.keys()].sort((a, b) => a - b)).toEqual([...map.keys()].sort((a, b) => a - b));
      }
    }),
  );
});

test("whoever looks through it meets all that stay, once each, whatever comes and goes meanwhile", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), pieceMaxes, (steps, pieceMax) => {
      const long = new LongMap<number, number>(pieceMax);
      for (let at = 0; at <= 20; at++) long.set(at, at);
      const coming = [...steps];
      const met: number[] = [];
      for (const one of long.keys()) {
        met.push(one);
        const next = coming.shift();
        if (next?.does === "set") long.set(next.key + 100, next.value);
        if (next?.does === "delete") long.delete(next.key);
      }
      const deleted = new Set(steps.slice(0, met.length).flatMap((one) => (one.does === "delete" ? [one.key] : [])));
      const stayed = Array.from({ length: 21 }, (_, at) => at).filter((at) => !deleted.has(at));
      expect(met.filter((at) => stayed.includes(at))).toEqual(stayed);
      expect(new Set(met).size).toBe(met.length);
    }),
  );
});

test("has every one of very many, in the order in which they came, and takes places that are free again", () => {
  const long = new LongMap<string, number>();
  const count = 40_000;
  for (let at = 0; at < count; at++) long.set(`s-${at}`, at);
  expect(Array.from(long.keys(), (name) => long.get(name))).toEqual(Array.from({ length: count }, (_, at) => at));
  for (let at = 0; at < count; at += 2) expect(long.delete(`s-${at}`)).toBe(true);
  for (let at = 0; at < count; at += 2) long.set(`t-${at}`, at);
  expect([long.size, long.get("s-2"), long.get("s-3"), long.get("t-2")]).toEqual([count, undefined, 3, 2]);
  const names = [...long.keys()];
  expect(names.indexOf("t-0")).toBeLessThan(names.indexOf("s-39999"));
});
