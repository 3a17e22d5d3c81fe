import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wideMap } from "./wide-map.ts";

/** Two texts of one FNV-1a hash; as many as wanted of their rows have one hash, too. */
const twins = ["costarring", "liquid"] as const;

describe("a wide map", () => {
  it("says what a map says, whatever is set and in which order", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.nat())), (pairs) => {
        const [wide, map] = [wideMap<number>(), new Map<string, number>()];
        for (const [key, value] of pairs) {
          expect(wide.get(key)).toBe(map.get(key));
          wide.set(key, value);
          map.set(key, value);
        }
        for (const key of [...map.keys(), "never set"]) expect(wide.get(key)).toBe(map.get(key));
      }),
    );
  });

  it("tells texts apart that have one hash, however many", () => {
    // The hash goes on from where it stands, so what comes behind twins makes twins.
    const texts = (parts: number): string[] =>
      parts === 0 ? [""] : texts(parts - 1).flatMap((text) => twins.map((twin) => twin + text));
    const all = [twins, ["declinate", "macallums"]].flat();
    const map = wideMap<string>();
    for (const text of all) map.set(text, `of ${text}`);
    for (const text of all) expect(map.get(text)).toBe(`of ${text}`);
    const many = texts(5);
    for (const text of many) map.set(text, text);
    for (const text of many) map.set(text, `again ${text}`);
    for (const text of many) expect(map.get(text)).toBe(`again ${text}`);
    expect(map.get("none")).toBeUndefined();
  });
});
