import fc from "fast-check";
import { expect, test } from "vitest";
import { type Canonicalisable, canonical } from "./canonical.ts";
import { canonicalInSlices } from "./canonical-in-slices.ts";

test("what is written in slices is what is written at once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(1, 1, 3_000), async (value, times) => {
      const json = { a: Array.from({ length: times }, () => value), b: "b".repeat(times * 10) } as Canonicalisable;
      const once = await Promise.resolve(json).then(canonical).catch(String);
      expect(await canonicalInSlices(json, async () => undefined).catch(String)).toBe(once);
    }),
  );
});

test("a long list is written with pauses, however deep it stands", async () => {
  let pauses = 0;
  const pause = async () => void pauses++;
  const rules = Array.from({ length: 1_000 }, (_, at) => ({ id: `rule-${at}`, message: "m".repeat(200) }));
  const document = { kind: "Policy", spec: { a: { b: { c: { d: { e: { f: { rules } } } } } } } };
  expect(await canonicalInSlices(document, pause)).toBe(canonical(document));
  expect(pauses).toBeGreaterThan(5);
  expect(pauses).toBeLessThan(50);
});
