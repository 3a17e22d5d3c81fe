import fc from "fast-check";
import { expect, test } from "vitest";
import { createNameMap } from "./name-map.ts";

const hashes: readonly (readonly [string, ((name: string) => number) | undefined])[] = [
  ["its own hash", undefined],
  ["a hash that all names share", () => 7],
  ["two hashes", (name) => (name < "c" ? -1 : 7)],
];

test.each(hashes)("is what a map is, by %s", (_, hash) => {
  const all = ["a", "b", "c", "d", "e"];
  const step = fc.record({
    does: fc.constantFrom("set" as const, "delete" as const),
    name: fc.constantFrom(...all),
    value: fc.integer(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const map = new Map<string, number>();
      const named = createNameMap<number>(hash);
      for (const { does, name, value } of steps) {
        if (does === "set") map.set(name, value);
        else map.delete(name);
        if (does === "set") named.set(name, value);
        else named.delete(name);
        for (const each of all)
          expect([each, named.get(each), named.has(each)]).toEqual([each, map.get(each), map.has(each)]);
      }
    }),
  );
});
