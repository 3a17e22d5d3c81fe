import { expect, test } from "vitest";
import { schemaDigest, schemaDigestInSlices } from "./schema-digest.ts";

const schemaOf = (properties: number) => ({
  type: "object",
  properties: Object.fromEntries(
    Array.from({ length: properties }, (_, at) => [`p${(at * 7919) % properties}`, { const: "😀é€".repeat(at % 90) }]),
  ),
});

test.each([0, 1, 3_000])("the digest of a schema of %i properties is the same in slices", async (properties) => {
  let pauses = 0;
  const pause = async () => void pauses++;
  const made = await schemaDigestInSlices(schemaOf(properties), pause);
  expect(made).toBe(schemaDigest(schemaOf(properties)));
  expect(pauses).toBeGreaterThan(properties / 200);
});

test("a schema is walked once, and no schema has no digest", async () => {
  let pauses = 0;
  const pause = async () => void pauses++;
  const schema = schemaOf(10);
  const first = await schemaDigestInSlices(schema, pause);
  const before = pauses;
  expect(await schemaDigestInSlices(schema, pause)).toBe(first);
  expect([pauses, await schemaDigestInSlices(undefined, pause)]).toEqual([before, ""]);
});
