import fc from "fast-check";
import { expect, test } from "vitest";
import { type Canonicalisable, canonical, type NotCanonical } from "./canonical.ts";
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

test("what is wrong is told as it is of what is written at once, with the path that leads to it", async () => {
  const long = Array.from({ length: 3_000 }, (_, at) => `a long list, item ${at}`);
  const nested = (levels: number): Canonicalisable =>
    Array.from({ length: levels }).reduce<Canonicalisable>((inner) => ({ "in it": inner, long }), [1]);
  const wrong = (value: Canonicalisable) => ({ "a b": { list: [...long, { value }] } });
  const values = [nested(30), nested(31), nested(32), nested(40), wrong(2 ** 60), wrong("\ud800"), wrong(1n as never)];
  for (const value of values) {
    const told = ({ path, what, message }: NotCanonical) => ({ path, what, message });
    const once = await Promise.resolve(value).then(canonical).catch(told);
    expect(await canonicalInSlices(value, async () => undefined).catch(told)).toEqual(once);
  }
  await expect(canonicalInSlices(nested(40), async () => undefined)).rejects.toMatchObject({ what: "too_deep" });
});
