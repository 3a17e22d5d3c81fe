import fc from "fast-check";
import { expect, test } from "vitest";
import { createRecent, partOf, partOfNumber, partsFor } from "./recent.ts";

const many = <Made>(count: number, make: (at: number) => Made) => Array.from({ length: count }, (_, at) => make(at));
const counted = (parts: readonly number[]) => [...Map.groupBy(parts, (part) => part).values()].map((of) => of.length);

test("as many as there may be are kept, about, and those that were used last", () => {
  const recent = createRecent<{ at: number }>(20_000);
  for (let at = 0; at < 60_000; at++) {
    recent.set(`agent-${at}`, { at });
    expect(recent.get("agent-0")).toEqual({ at: 0 });
  }
  const kept = many(60_000, (at) => recent.has(`agent-${at}`)).map((has, at) => (has ? at : -1));
  const newest = kept.filter((at) => at >= 41_000);
  expect(kept.filter((at) => at >= 0).length).toBeLessThanOrEqual(20_000 + partsFor(20_000));
  expect(newest.length).toBeGreaterThan(18_000);
  expect(kept[0]).toBe(0);
});

test("few are kept exactly, the least recently used goes first, and whoever asked is told what went", () => {
  const gone: string[] = [];
  const recent = createRecent<{ at: number }>(2, (_, name) => gone.push(name));
  recent.set("a", { at: 1 });
  recent.set("b", { at: 1 });
  recent.get("a");
  recent.set("a", { at: 2 });
  recent.set("c", { at: 1 });
  expect([recent.peek("a"), recent.peek("b"), recent.peek("c")]).toEqual([{ at: 2 }, undefined, { at: 1 }]);
  recent.delete("c");
  expect(gone).toEqual(["b", "c"]);
});

test("names that are alike are strewn over the parts, and so are numbers that follow each other", () => {
  const names = many(33_000, (at) => partOf(`t\nbudget\n{"per":{"customer":"c-${at}"}}`, 33));
  const numbers = many(33_000, (at) => partOfNumber(BigInt(at + 1), 33));
  for (const parts of [counted(names), counted(numbers)]) {
    expect(parts).toHaveLength(33);
    expect(Math.min(...parts)).toBeGreaterThan(800);
    expect(Math.max(...parts)).toBeLessThan(1_200);
    // Filled in step they would all be laid out anew in the same moment.
    expect(new Set(parts).size).toBeGreaterThan(10);
  }
  expect(partOfNumber(2n ** 63n - 1n, 33)).toBeLessThan(33);
});

test("names of one hash are never taken for each other, and whoever asked is told of each that goes, once", () => {
  const all = ["a", "b", "c", "d", "e"];
  const does = fc.constantFrom("set" as const, "delete" as const, "get" as const);
  const step = fc.record({ does, name: fc.constantFrom(...all) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (steps, max) => {
      const there = new Map<string, { readonly name: string }>();
      let deleted = "";
      const gone = (value: { readonly name: string }, name: string) => {
        expect(value.name).toBe(name);
        expect(there.delete(name)).toBe(true);
        // There is room for both hashes.
        if (max > 1) expect(name).toBe(deleted);
      };
      const recent = createRecent<{ readonly name: string }>(max, gone, (text) => (text < "d" ? -1 : 7));
      for (const { does: deed, name } of steps) {
        const value = { name };
        deleted = deed === "delete" ? name : "";
        if (deed === "set") {
          recent.set(name, value);
          there.set(name, value);
        }
        if (deed === "delete") recent.delete(name);
        expect(recent.has(name)).toBe(there.has(name));
        for (const each of all) {
          const found = [recent.get(each), recent.peek(each), recent.has(each)];
          expect([each, ...found]).toEqual([each, there.get(each), there.get(each), there.has(each)]);
          expect(recent.get(each)).toBe(there.get(each));
        }
      }
    }),
  );
});
